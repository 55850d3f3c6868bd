"""A project with a bundle of any number of items, made from a real one."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.bundle.manifest import Metadata
from savor.bundle.registry import Registry
from savor.bundle.writer import write_bundle
from savor.core.files import write_json_atomic
from savor.core.folders import ProjectFolder
from savor.core.hashing import sha256_json
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn, TagColumn
from savor.features.content_vectors import ContentVectors
from savor.features.feature_space import FeatureSpace
from savor.features.item_statistics import ItemStatistics
from savor.index.choose import choose_index
from savor.models.neighbours import Neighbours

SHARES = {"ann": 0.4, "buy_again": 0.3, "co_purchase": 0.35, "trending": 0.15}
"""What each source brings of the candidates that are wanted; together a little more than all, as they overlap."""

NOISE = 0.3
"""Length of what is added to the vector of a copy, whose length is 1."""

BUNDLES = 2
"""How many bundles of the same content but different id there are, so that one can take the place of the other."""


def made_project(source: Bundle, items: int, candidates: int, work: Path, *, seed: int = 0) -> ProjectFolder:
    """A project folder below `work` whose live bundle is `source` with another number of items; made once.

    The items are the best sold of `source`; where there are more, they are copies of random ones with vectors moved by
    noise. Users keep their histories, towers and rankers stay as they are, and the index is built anew.

    Args:
        source: where everything comes from.
        items: how many there shall be.
        candidates: how many shall be ranked, about.
        work: folder for made projects.
        seed: of what is random.
    """
    key = sha256_json({"source": source.id, "items": items, "candidates": candidates, "seed": seed, "version": 1})
    folder = ProjectFolder(work / f"{items}-{key[:12]}")
    registry = Registry(folder.registry)
    if registry.current() is not None:
        return folder
    parts = folder.root / "parts"
    shutil.rmtree(parts, ignore_errors=True)
    _write_parts(source, parts, items, candidates, np.random.default_rng(seed))
    metadata = Metadata(
        schema_hash=source.manifest.schema_hash,
        data_fingerprint=source.manifest.data_fingerprint,
        split_hash=source.manifest.split_hash,
    )
    config = orjson.loads((parts / "config.json").read_bytes())
    identifiers = []
    for number in range(BUNDLES):
        write_json_atomic(parts / "config.json", {**config, "made": number})
        identifiers.append(write_bundle(parts, metadata, folder.registry / "bundles").id)
    shutil.rmtree(parts)
    registry.activate(identifiers[0])
    return folder


def _write_parts(source: Bundle, parts: Path, items: int, candidates: int, random: np.random.Generator) -> None:
    shutil.copytree(source.directory, parts, ignore=shutil.ignore_patterns("manifest.json", "index", "vectors"))
    catalogue = Catalogue.load(source.path("catalogue"))
    popularity = _column(source, "sources/popularity.npy")
    order = np.argsort(-popularity, kind="stable")
    rows = order[:items]
    if items > len(order):
        rows = np.concatenate([order, random.integers(0, len(order), items - len(order))])
    originals = min(items, len(order))
    place = random.integers(0, items, len(order)).astype(np.int32)
    place[rows[:originals]] = np.arange(originals, dtype=np.int32)

    made = _catalogue(catalogue, rows, originals)
    made.save(parts / "catalogue")
    statistics = ItemStatistics.load(source.path("state/statistics"), catalogue)
    levels = {
        name: replace(
            level,
            codes=made.categories[name].codes,
            item_share=level.item_share[rows],
            relative_price=level.relative_price[rows],
        )
        for name, level in statistics.levels.items()
    }
    replace(statistics, item=statistics.item[rows], log_price=statistics.log_price[rows], levels=levels).save(
        parts / "state" / "statistics"
    )
    _space(FeatureSpace.load(source.path("features")), rows).save(parts / "features")
    history = place[_column(source, "state/histories/item.npy")]
    np.save(parts / "state" / "histories" / "item.npy", history)

    neighbours = Neighbours.load(source.path("sources/co_purchase"))
    near = neighbours.item[rows]
    Neighbours(np.where(near >= 0, place[near], -1).astype(np.int32), neighbours.weight[rows]).save(
        parts / "sources" / "co_purchase"
    )
    rarer = np.ones(items, np.float32)
    rarer[originals:] = random.random(items - originals, np.float32) / 2
    for name in ("popularity", "trending"):
        np.save(parts / "sources" / f"{name}.npy", _column(source, f"sources/{name}.npy")[rows] * rarer)

    vectors = _column(source, "vectors/items.npy")[rows].astype(np.float32)
    copies, width = items - originals, vectors.shape[1]
    vectors[originals:] += random.standard_normal((copies, width), np.float32) * np.float32(NOISE / np.sqrt(width))
    vectors[originals:] /= np.linalg.norm(vectors[originals:], axis=1, keepdims=True)
    (parts / "vectors").mkdir()
    np.save(parts / "vectors" / "items.npy", vectors)
    choose_index(items).build(vectors).save(_made(parts / "index"))

    config = orjson.loads((parts / "config.json").read_bytes())
    sizes = {name: max(1, round(share * candidates)) for name, share in SHARES.items()}
    config["pipeline"] = {**config.get("pipeline", {}), **sizes}
    write_json_atomic(parts / "config.json", config)


def _catalogue(catalogue: Catalogue, rows: NDArray[np.intp], originals: int) -> Catalogue:
    listed = rows.tolist()
    ids = [catalogue.ids[row] for row in listed[:originals]]
    ids += [f"{catalogue.ids[row]}-copy-{number}" for number, row in enumerate(listed[originals:])]
    return Catalogue(
        ids,
        [catalogue.names[row] for row in listed],
        {name: CategoryColumn(one.codes[rows], one.values) for name, one in catalogue.categories.items()},
        {name: TagColumn.from_lists([one.of(row) for row in listed]) for name, one in catalogue.tags.items()},
        {name: one[rows] for name, one in catalogue.numerics.items()},
        catalogue.price[rows],
        catalogue.in_stock[rows],
        catalogue.owner and CategoryColumn(catalogue.owner.codes[rows], catalogue.owner.values),
    )


def _space(space: FeatureSpace, rows: NDArray[np.intp]) -> FeatureSpace:
    def taken(content: Any) -> Any:
        return content if content is None else _taken(content, rows)

    return replace(
        space,
        item_table={name: column[rows] for name, column in space.item_table.items()},
        sales=space.sales[rows],
        text=taken(space.text),
        images=taken(space.images),
        reviews=taken(space.reviews),
    )


def _taken(content: ContentVectors, rows: NDArray[np.intp]) -> ContentVectors:
    return type(content)(content.row[rows], np.asarray(content.vectors))


def _column(bundle: Bundle, name: str) -> NDArray[Any]:
    found: NDArray[Any] = np.load(bundle.path(name), allow_pickle=False)
    return found


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory
