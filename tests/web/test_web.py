"""The browser app's own tests, and its features against the server's and against the Python runtime's."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from savor.export.own_items import OwnItemsBonus
from savor_edge.bundle import EdgeBundle
from savor_edge.catalogue import EdgeCatalogue
from savor_edge.eligibility import own_bonus
from savor_edge.features import EdgeFeatures
from savor_edge.source_columns import Asked
from tests.edge.made_bundle import Made, made_edge

WEB = Path(__file__).parents[2] / "web"
NOW = 1_700_000_000
COLUMNS = {"age": ["20-30", "50-60"], "likes": ["a", "b", "c", "Ω", "🧀"]}


@pytest.fixture(scope="session")
def edge_shop(tmp_path_factory) -> Made:
    return made_edge(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def shortlist(tmp_path_factory) -> Made:
    return made_edge(tmp_path_factory.getbasetemp(), 24)


@pytest.fixture(scope="session")
def ranked_shop(tmp_path_factory) -> Made:
    own_items = OwnItemsBonus(0.3, 60.0, ("purchase",))
    return made_edge(tmp_path_factory.getbasetemp(), 24, own_items, ranker=True)


def npm(*command: str, folders: list[Path] | None = None) -> str:
    """Run an npm command in `web/`; what it wrote."""
    program = shutil.which("npm")
    if program is None:
        pytest.skip("needs Node.js and npm")
    if not (WEB / "node_modules").is_dir():
        pytest.skip("the packages of web/ are not installed: make device")
    environment = {**os.environ, "SAVOR_EDGE_BUNDLES": ":".join(map(str, folders or []))}
    done = subprocess.run([program, *command], cwd=WEB, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def test_the_browser_answers_the_examples_of_exported_bundles(edge_shop, shortlist, ranked_shop, tmp_path):
    folders = [edge_shop.folder, shortlist.folder, every_kind(edge_shop.folder, tmp_path / "every-kind")]
    folders += [ranked_shop.folder, drawn_rankings(ranked_shop.folder, tmp_path / "drawn-rankings")]
    said = npm("test", folders=folders)
    assert all(f"this code answers the examples of {folder}" in said for folder in folders)
    assert "# fail 0" in said


def test_types_fit():
    npm("run", "check")


def test_the_lock_file_names_no_registry():
    lock = json.loads((WEB / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


def every_kind(folder: Path, out: Path) -> Path:
    """A bundle with inputs of every kind, and drawn examples that the Python runtime answered."""
    out.mkdir()
    for name in ("catalogue.json", "catalogue.bin"):
        shutil.copy(folder / name, out)
    catalogue = json.loads((out / "catalogue.json").read_text())
    document = json.loads((folder / "features.json").read_text())
    document["inputs"] |= {
        "history_seconds": {"kind": "history_seconds", "dtype": "int32", "shape": [20], "most": 2**31 - 2},
        "session_item": {"kind": "session_item", "dtype": "int32", "shape": [7]},
        "session_category": {"kind": "session_category", "dtype": "int32", "shape": [7]},
        "user_id": {"kind": "user_id", "dtype": "int32", "shape": [], "values": ["golden"], "buckets": 3},
        "user_category_1": {
            "kind": "category",
            "dtype": "int32",
            "shape": [],
            "column": "place",
            "values": ["here"],
            "buckets": 64,
        },
        "user_tag_0": {
            "kind": "tags",
            "dtype": "int32",
            "shape": [3],
            "column": "likes",
            "values": COLUMNS["likes"],
            "buckets": 5,
        },
        "user_numeric": {
            "kind": "numeric",
            "dtype": "float32",
            "shape": [4],
            "limit": 5.0,
            "columns": [
                {"column": "kids", "logarithm": False, "mean": 1.7, "deviation": 0.9},
                {"column": "income", "logarithm": True, "mean": 9.1, "deviation": 0.7},
            ],
        },
    }
    (out / "features.json").write_text(json.dumps(document))
    features = EdgeFeatures.open(out)
    rng = np.random.default_rng(4)
    queries = [answered(features, catalogue["ids"], out, rng, number) for number in range(80)]
    golden = {"format_version": 1, "tolerance": {"inputs": 1e-6, "scores": 0}, "queries": queries}
    (out / "golden.json").write_text(json.dumps(golden))
    return out


def drawn_rankings(folder: Path, out: Path) -> Path:
    """A bundle with a ranker, and drawn examples whose features the Python runtime made."""
    shutil.copytree(folder, out)
    bundle, rng = EdgeBundle.open(out), np.random.default_rng(9)
    queries = [ranked(bundle, rng, number) for number in range(60)]
    golden = {"format_version": 1, "tolerance": {"inputs": 1e-6, "scores": 0, "features": 2e-6}, "queries": queries}
    (out / "golden.json").write_text(json.dumps(golden).replace("NaN", "null"))
    return out


def ranked(bundle: EdgeBundle, rng: np.random.Generator, number: int) -> dict:
    assert bundle.ranker is not None
    catalogue, now = bundle.catalogue, NOW + int(rng.integers(10**7))
    ids = [*catalogue.ids, *catalogue.kept_for_histories]
    ages = np.sort(rng.integers(-60, [10**5, 10**7, 10**8][rng.integers(3)], rng.integers(0, 40)))[::-1]
    events = [
        {
            "item_id": str(rng.choice(ids)),
            "kind": str(rng.choice(["purchase", "purchase", "glance"])),
            "time": (now - int(age)) * 1000 + 7,
            **({"basket_id": str(rng.choice(["a", "b"]))} if rng.integers(3) == 0 else {}),
            **({"value": float(rng.integers(-1, 5))} if rng.integers(2) == 0 else {}),
            **({"price": round(float(rng.normal(3, 3)), 2)} if rng.integers(2) == 0 else {}),
        }
        for age in ages
    ]
    seconds = [{**event, "time": now - int(age)} for event, age in zip(events, ages, strict=True)]
    history = bundle.features.history(seconds).at(now)
    allowed = catalogue.in_stock.copy()
    rows = rng.permutation(np.flatnonzero(allowed))[: bundle.ranker.k].astype(np.int32)
    bonus = own_bonus(bundle.features, history, now, len(catalogue))
    scores = np.sort(rng.normal(size=len(rows)))[::-1].astype(np.float32) + bonus[rows]
    seen = bool(rng.integers(2)) and not len(history.item)
    matrix = bundle.ranker.matrix(Asked(history, now, allowed, bonus, 5, seen), rows, scores)
    return {
        "name": f"drawn {number}",
        "request": {"user_id": "golden", "num_recommendations": 5, "exclude_seen": seen},
        "now": now,
        "profile": {},
        "events": events,
        "inputs": {},
        "allowed": int(allowed.sum()),
        "mask_crc32": crc32(allowed.astype(np.uint8).tobytes()),
        "bonus": {catalogue.ids[row]: float(bonus[row]) for row in np.flatnonzero(allowed & (bonus > 0)).tolist()},
        "items": [],
        "scores": [],
        "ranked": {
            "found": {"items": [catalogue.ids[row] for row in rows], "scores": scores.tolist()},
            "features": {catalogue.ids[row]: line.tolist() for row, line in zip(rows, matrix, strict=True)},
            "items": [],
            "scores": [],
        },
    }


def answered(features: EdgeFeatures, ids: list[str], folder: Path, rng: np.random.Generator, number: int) -> dict:
    now = NOW + int(rng.integers(10**7))
    profile = {
        "age": [None, "20-30", "50-60", "ü"][rng.integers(4)],
        "place": ["here", "there", "", "Käse 🧀"][rng.integers(4)],
        "likes": rng.choice([*COLUMNS["likes"], "z", "\uffff", ""], rng.integers(7)).tolist(),
        "kids": [None, 0, 2, -1.5, 1e9][rng.integers(5)],
        "income": [None, 0, 12_345.678, -7, 3e38][rng.integers(5)],
    }
    ages = np.sort(rng.integers(-60, [4000, 10**5, 10**8][rng.integers(3)], rng.integers(0, 40)))[::-1]
    events = [
        {
            "item_id": str(rng.choice([*ids, "no such item"])),
            "kind": str(rng.choice(["purchase", "purchase", "glance", "hide"])),
            "time": (now - int(age)) * 1000 + 7,
            **({"basket_id": str(rng.choice(["a", "b"]))} if rng.integers(3) == 0 else {}),
        }
        for age in ages
    ]
    seconds = [{**event, "time": now - int(age)} for event, age in zip(events, ages, strict=True)]
    inputs = features.inputs(seconds, profile, now, user_id="golden")
    allowed = EdgeCatalogue.open(folder).in_stock.astype(np.uint8)
    return {
        "name": f"drawn {number}",
        "request": {"user_id": "golden", "num_recommendations": 5},
        "now": now,
        "profile": profile,
        "events": events,
        "inputs": {name: value.ravel().tolist() for name, value in inputs.items()},
        "allowed": int(allowed.sum()),
        "mask_crc32": crc32(allowed.tobytes()),
        "items": [],
        "scores": [],
    }
