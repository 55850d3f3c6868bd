"""Writes `catalogue.json` and `catalogue.bin`: the items that a device can recommend, and those it knows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.export.packed_arrays import packed_arrays
from savor.export.shard import by_sales, sales
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn, Columns
from savor.features.feature_space import FeatureSpace
from savor.pipeline.options import PipelineOptions
from savor_edge.catalogue import ARRAYS, DOCUMENT, FORMAT_VERSION

MOST_POPULAR = 1000
"""How many popular items are named to fill lists with."""


def write_catalogue(
    bundle: Bundle, catalogue: Catalogue, space: FeatureSpace, rows: NDArray[np.int32], directory: Path
) -> None:
    """Write the items at `rows` (I,), in that order, as both files into `directory`.

    Args:
        bundle: says what sold, and which rules lists follow.
        catalogue: of the bundle.
        space: says what the model sees of an item in a history.
        rows: distinct rows of the catalogue.
        directory: an existing folder.
    """
    arrays: dict[str, NDArray[Any]] = {}
    columns = catalogue.columns.take(rows)
    kept = kept_for_histories(space, rows)
    ids = [catalogue.ids[row] for row in rows.tolist()]
    names = [catalogue.names[row] for row in rows.tolist()]
    told = CategoryColumn.from_strings([None if name == own else name for name, own in zip(names, ids, strict=True)])
    if len(told.values) > 1:
        arrays["name"] = told.codes
    for number, category in enumerate(columns.categories.values()):
        arrays[f"category/{number}"] = category.codes
    for number, tag in enumerate(columns.tags.values()):
        arrays[f"tag_start/{number}"], arrays[f"tag_code/{number}"] = tag.indptr, tag.codes
    for number, numeric in enumerate(columns.numerics.values()):
        arrays[f"numeric/{number}"] = numeric.astype(np.float32)
    owner = (
        None if catalogue.owner is None else Columns({"owner": catalogue.owner}, {}, {}).take(rows).categories["owner"]
    )
    if owner is not None:
        arrays["owner"] = owner.codes
    arrays["price"], arrays["in_stock"] = catalogue.price[rows].astype(np.float32), catalogue.in_stock[rows]
    arrays["popular"] = _popular(bundle, catalogue, rows)
    arrays |= _in_histories(space, np.concatenate([rows, kept]))
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "ids": ids,
        "names": told.values if len(told.values) > 1 else None,
        "categories": [{"name": name, "values": column.values} for name, column in columns.categories.items()],
        "tags": [{"name": name, "values": column.values} for name, column in columns.tags.items()],
        "numerics": list(columns.numerics),
        "owner": None if owner is None else owner.values,
        "kept_for_histories": [catalogue.ids[row] for row in kept.tolist()],
        "caps": _caps(bundle, list(columns.categories), owner is not None),
    }
    packed, places = packed_arrays(arrays)
    (directory / ARRAYS).write_bytes(packed)
    (directory / DOCUMENT).write_bytes(orjson.dumps({**document, "arrays": places}))


def kept_for_histories(space: FeatureSpace, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Rows of the items that cannot be recommended, and that count in histories: those with a code of their own.

    The rest share the buckets of what was hardly ever seen, so a history says next to nothing by them.
    """
    if not {"history_item", "session_item"} & space.user_signature.keys():
        return np.empty(0, np.int32)
    own = space.item_table["item_id"] > space.items.ids.buckets
    own[rows] = False
    return np.flatnonzero(own).astype(np.int32)


def _in_histories(space: FeatureSpace, rows: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    """What the model sees of items in a history, as far as it sees any."""
    signature = space.user_signature
    found = {}
    if {"history_item", "session_item"} & signature.keys():
        found["history_item"] = space.item_table["item_id"][rows]
    if space.history_category is not None and {"history_category", "session_category"} & signature.keys():
        found["history_category"] = space.item_table[space.history_category][rows]
    return found


def _popular(bundle: Bundle, catalogue: Catalogue, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    recent, total = sales(bundle)
    order = by_sales(bundle, catalogue, rows)
    chosen = rows[order]
    sold = catalogue.in_stock[chosen] & ((recent[chosen] > 0) | (total[chosen] > 0))
    return order[sold][:MOST_POPULAR].astype(np.int32)


def _caps(bundle: Bundle, categories: Sequence[str], owners: bool) -> list[dict[str, Any]]:
    """The caps of the bundle's diversity rules; those on columns that are not there are left out."""
    config = bundle.read_json("config.json") if bundle.has("config.json") else {}
    rules = PipelineOptions.model_validate(config.get("pipeline", {})).diversity
    column = rules.category or (categories[-1] if categories else None)
    caps: list[dict[str, Any]] = []
    if rules.cap is not None and column is not None and column in categories:
        caps.append({"array": f"category/{list(categories).index(column)}", "most": rules.cap})
    if rules.owner_cap is not None and owners:
        caps.append({"array": "owner", "most": rules.owner_cap})
    return caps
