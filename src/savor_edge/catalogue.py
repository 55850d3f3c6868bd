"""The items that a device can recommend, and those it knows from histories."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor_edge.arrays import read_arrays
from savor_edge.errors import EdgeError

FORMAT_VERSION = 1
DOCUMENT, ARRAYS = "catalogue.json", "catalogue.bin"


class Category(NamedTuple):
    """One value an item: (I,) `codes` are positions in `values`; 0 is unknown and `values[0]` is empty."""

    codes: NDArray[Any]
    values: list[str]


class Tags(NamedTuple):
    """Several values an item: those of row r are `codes[start[r]:start[r + 1]]`, positions in `values`."""

    start: NDArray[Any]
    codes: NDArray[Any]
    values: list[str]


class Cap(NamedTuple):
    """At most `most` items of one of the (I,) `codes` before others had their turn; code 0 is not capped."""

    codes: NDArray[Any]
    most: int


@dataclass(frozen=True)
class EdgeCatalogue:
    """I items as columns; row r is number r of the model.

    Attributes:
        ids: I distinct item ids.
        categories: by column name, from the widest level to the narrowest.
        tags, numerics: by column name; numbers are (I,) float32, NaN where unknown.
        price: (I,) float32, NaN where unknown.
        in_stock: (I,) bool.
        owner: the business that owns each item; None where that is not known.
        kept_for_histories: H ids of items that cannot be recommended here, but count in histories.
        history_item, history_category: (I + H,) what the model sees of an item in a history; None where it sees none.
        popular: rows of the items that were sold most of late, best first.
        caps: rules for lists that are not all of one kind.
    """

    ids: list[str]
    categories: dict[str, Category]
    tags: dict[str, Tags]
    numerics: dict[str, NDArray[np.float32]]
    price: NDArray[np.float32]
    in_stock: NDArray[np.bool_]
    owner: Category | None
    kept_for_histories: list[str]
    history_item: NDArray[Any] | None
    history_category: NDArray[Any] | None
    popular: NDArray[np.int32]
    caps: tuple[Cap, ...]
    _names: Category | None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def index(self) -> dict[str, int]:
        """From item id to number; numbers from `len(self)` on are those of `kept_for_histories`."""
        return {name: number for number, name in enumerate((*self.ids, *self.kept_for_histories))}

    def row(self, item_id: str) -> int | None:
        """The row of an item that can be recommended."""
        number = self.index.get(item_id)
        return number if number is not None and number < len(self.ids) else None

    def name(self, row: int) -> str:
        """What people call an item; its id where it has no name."""
        return (self._names.values[int(self._names.codes[row])] if self._names else "") or self.ids[row]

    def describe(self, row: int) -> dict[str, Any]:
        """Name, narrowest known category and price of an item, as the server's answers have them."""
        category = None
        for column in self.categories.values():
            category = column.values[int(column.codes[row])] or category
        price = float(self.price[row])
        return {
            "name": self.name(row),
            "category": category,
            "price": round(price, 4) if np.isfinite(price) else None,
        }

    @classmethod
    def open(cls, folder: Path) -> "EdgeCatalogue":
        """Read `catalogue.json` and `catalogue.bin`.

        Raises:
            EdgeError: a file is absent, damaged, or of another format version.
        """
        try:
            document = json.loads((folder / DOCUMENT).read_bytes())
            version = document["format_version"]
            if version != FORMAT_VERSION:
                raise EdgeError(
                    f"{folder / DOCUMENT} has format {version}, and this version of savor-edge reads {FORMAT_VERSION}: "
                    "update savor-edge",
                    code="edge_bundle_invalid",
                )
            return cls._of(document, read_arrays(document["arrays"], (folder / ARRAYS).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise EdgeError(
                f"the catalogue in {folder} cannot be read ({type(error).__name__}: {error}); export or download it "
                "again",
                code="edge_bundle_invalid",
            ) from None

    @classmethod
    def _of(cls, document: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> "EdgeCatalogue":
        ids, kept = document["ids"], document["kept_for_histories"]
        rows = len(ids)
        categories = {
            entry["name"]: Category(arrays[f"category/{number}"], entry["values"])
            for number, entry in enumerate(document["categories"])
        }
        tags = {
            entry["name"]: Tags(arrays[f"tag_start/{number}"], arrays[f"tag_code/{number}"], entry["values"])
            for number, entry in enumerate(document["tags"])
        }
        made = cls(
            ids,
            categories,
            tags,
            {name: arrays[f"numeric/{number}"] for number, name in enumerate(document["numerics"])},
            arrays["price"],
            arrays["in_stock"].astype(np.bool_),
            None if document["owner"] is None else Category(arrays["owner"], document["owner"]),
            kept,
            arrays.get("history_item"),
            arrays.get("history_category"),
            arrays["popular"].astype(np.int32),
            tuple(Cap(arrays[cap["array"]], int(cap["most"])) for cap in document["caps"]),
            None if document["names"] is None else Category(arrays["name"], document["names"]),
        )
        lengths = [(name, array, rows + 1 if name.startswith("tag_start/") else rows) for name, array in arrays.items()]
        for name, array, expected in lengths:
            if name.startswith("history_"):
                expected = rows + len(kept)
            elif name == "popular" or name.startswith("tag_code/"):
                continue
            if len(array) != expected:
                raise ValueError(f"array {name} has {len(array)} entries, not {expected}")
        if len(made.index) != rows + len(kept):
            raise ValueError("an item id stands in it twice")
        return made
