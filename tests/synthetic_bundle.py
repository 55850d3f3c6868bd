"""A small bundle with everything in it, for the tests of pipeline and API, and a large one to measure with."""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import orjson
import xgboost as xgb

from savor.bundle.bundle import Bundle
from savor.bundle.manifest import Metadata
from savor.bundle.writer import write_bundle
from savor.core.clock import frozen_clock
from savor.data.events import Events
from savor.data.histories import Histories
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn, Columns, TagColumn
from savor.features.cross import CrossFeatures
from savor.features.feature_space import FeatureSpace
from savor.features.item_statistics import ItemStatistics
from savor.features.options import FeatureOptions
from savor.features.profiles import Profiles
from savor.index.choose import choose_index
from savor.models.neighbours import Neighbours
from savor.online.user_states import UserStates

DAY = 86_400
NOW = 20_000 * DAY
DEPARTMENTS = ("bakery", "dairy", "drinks", "fruit")


@dataclass(frozen=True)
class Sizes:
    """How large the made shop is."""

    items: int = 60
    users: int = 20
    events: int = 1500
    width: int = 8
    neighbours: int = 10
    trees: int = 10


def make_catalogue(number: int, rng: np.random.Generator) -> Catalogue:
    departments = [DEPARTMENTS[row % len(DEPARTMENTS)] for row in range(number)]
    aisles = [f"{department} {row // len(DEPARTMENTS) % 5}" for row, department in enumerate(departments)]
    price = np.round(rng.gamma(2, 2, number), 2).astype(np.float32)
    price[0] = np.nan
    in_stock = np.ones(number, np.bool_)
    in_stock[7] = False
    return Catalogue(
        [str(1000 + row) for row in range(number)],
        [f"{aisle.title()} item {row}" for row, aisle in enumerate(aisles)],
        {"department": CategoryColumn.from_strings(departments), "aisle": CategoryColumn.from_strings(aisles)},
        {
            "labels": TagColumn.from_lists(
                [
                    ["organic"] if row % 3 == 0 else ["vegan", "local"][: row % 2 + 1] if row % 5 else None
                    for row in range(number)
                ]
            )
        },
        {"grams": rng.integers(50, 1000, number).astype(np.float32)},
        price,
        in_stock,
        None,
    )


def make_events(sizes: Sizes, rng: np.random.Generator) -> Events:
    """Each user rebuys from a few items; the last user has no events."""
    number = sizes.events
    user = rng.integers(0, sizes.users - 1, number).astype(np.int32)
    own = rng.integers(0, 40, number)
    item = ((user.astype(np.int64) * 7919 + own * own) % (sizes.items - 1)).astype(np.int32)
    time = np.sort(NOW - rng.integers(1, 300, number) * DAY - (user % 24) * 3600)
    return Events(
        user,
        item,
        time,
        np.zeros(number, np.uint8),
        np.ones(number, np.float32),
        np.full(number, 2.5, np.float32),
        (user.astype(np.int64) << 20) + time // DAY % (1 << 20),
        np.zeros(number, np.uint8),
    )


def write_parts(parts: Path, sizes: Sizes, *, tower: bool = True) -> None:
    """All files of a bundle but the manifest, below `parts`."""
    rng = np.random.default_rng(5)
    parts.mkdir(parents=True)
    catalogue, events = make_catalogue(sizes.items, rng), make_events(sizes, rng)
    ages = CategoryColumn.from_strings([["20-30", None, "50-60"][row % 3] for row in range(sizes.users)])
    profiles = Profiles([f"household-{row}" for row in range(sizes.users)], Columns({"age": ages}, {}, {}))
    catalogue.save(parts / "catalogue")
    histories = Histories.from_events(events, sizes.users)
    UserStates(histories, profiles).save(parts / "state")
    statistics = ItemStatistics.from_events(events, catalogue, NOW, 28)
    statistics.save(parts / "state" / "statistics")
    vectors = rng.standard_normal((sizes.items, sizes.width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    (parts / "vectors").mkdir()
    np.save(parts / "vectors" / "items.npy", vectors)
    index = choose_index(sizes.items).build(vectors)
    index.save(parts / "index")
    features = FeatureSpace.fit(
        events, catalogue, profiles, FeatureOptions(text=False, minimum_count=1, history_length=20)
    )
    features.save(parts / "features")
    if tower:
        write_tower(parts, features, sizes.width)
    write_sources(parts / "sources", events, sizes, rng)
    write_ranker(
        parts / "ranker",
        CrossFeatures(statistics, ("buy_again_score", "ann_rank", "co_purchase_score")),
        histories,
        sizes,
        rng,
    )
    config = {"kinds": ["purchase"], "now": "data_end", "data_end": NOW, "trending_window_days": 28, "pipeline": {}}
    (parts / "config.json").write_bytes(orjson.dumps(config))


def write_tower(parts: Path, features: FeatureSpace, width: int) -> None:
    rng = np.random.default_rng(6)
    (parts / "towers").mkdir()
    scratch = parts.parent / "tower-inputs"
    scratch.mkdir(exist_ok=True)
    (scratch / "signature.json").write_text(json.dumps({n: s.to_json() for n, s in features.user_signature.items()}))
    cardinality = features.user_signature["history_item"].cardinality
    assert cardinality is not None
    np.save(scratch / "vectors.npy", rng.standard_normal((cardinality, width)).astype(np.float32))
    program = Path(__file__).with_name("synthetic_tower.py")
    arguments = [str(scratch / "signature.json"), str(scratch / "vectors.npy"), str(parts / "towers" / "user.tflite")]
    done = subprocess.run([sys.executable, str(program), *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def write_sources(directory: Path, events: Events, sizes: Sizes, rng: np.random.Generator) -> None:
    directory.mkdir()
    recent = events.item[events.time > NOW - 28 * DAY]
    np.save(directory / "trending.npy", np.bincount(recent, minlength=sizes.items).astype(np.float32))
    np.save(directory / "popularity.npy", np.bincount(events.item, minlength=sizes.items).astype(np.float32))
    shape = (sizes.items, sizes.neighbours)
    step = np.cumsum(rng.integers(1, max(sizes.items // sizes.neighbours - 1, 2), shape), axis=1)
    item = ((np.arange(sizes.items)[:, None] + step) % sizes.items).astype(np.int32)
    weight = np.sort(rng.random(shape).astype(np.float32) + np.float32(0.01), axis=1)[:, ::-1]
    item[1, -2:], weight = -1, np.ascontiguousarray(weight)
    weight[1, -2:] = 0
    Neighbours(item, weight).save(directory / "co_purchase")


def write_ranker(
    directory: Path, cross: CrossFeatures, histories: Histories, sizes: Sizes, rng: np.random.Generator
) -> None:
    directory.mkdir()
    blocks, labels = [], []
    for user in range(min(sizes.users - 1, 60)):
        items = rng.choice(sizes.items, min(40, sizes.items), replace=False).astype(np.int32)
        sources = rng.random((len(items), len(cross.source_columns))).astype(np.float32)
        blocks.append(cross.compute(histories.of(user), items, sources, NOW))
        labels.append(np.isin(items, histories.of(user).item) | (rng.random(len(items)) < 0.1))
    features, label = np.concatenate(blocks), np.concatenate(labels).astype(np.float32)
    parameters = {"objective": "binary:logistic", "max_depth": 4, "nthread": 1, "seed": 1}
    for name, flip in (("all", label), ("new", 1 - label)):
        xgb.train(parameters, xgb.DMatrix(features, flip), sizes.trees).save_model(directory / f"{name}.ubj")
    document = {"names": cross.names, "source_columns": cross.source_columns}
    (directory / "features.json").write_bytes(orjson.dumps(document))


def seal(parts: Path, out: Path, *, ndcg: float = 0.4) -> Bundle:
    """Make a bundle of `parts`."""
    figure = {"mean": ndcg, "low": ndcg - 0.01, "high": ndcg + 0.01}
    metadata = Metadata(
        schema_hash="s",
        data_fingerprint="d",
        split_hash="p",
        metrics={"tasks": {"all": {"pipeline": {"ndcg@10": figure}}}},
    )
    return write_bundle(parts, metadata, out, clock=frozen_clock(NOW))


@cache
def made_shop(directory: Path) -> Bundle:
    """The small shop as a bundle below `directory`; made once in a test run."""
    write_parts(directory / "shop-parts", Sizes())
    return seal(directory / "shop-parts", directory / "shop-made")
