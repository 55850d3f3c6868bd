"""Edge bundles of the small shop, good and broken ones, as `savor export` writes them."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from savor.bundle.bundle import Bundle
from savor.bundle.edge_manifest import EdgeManifest, EdgeRanker
from savor.export.edge_catalogue import write_catalogue
from savor.export.edge_features import write_features
from savor.export.edge_golden import write_golden
from savor.export.own_items import OwnItemsBonus
from savor.features.catalogue import Catalogue
from savor.features.feature_space import FeatureSpace
from tests.made_ranker import write_made_ranker

K = 48
AGAIN = OwnItemsBonus(0.5, 60.0, ("purchase",))


@dataclass(frozen=True)
class DeviceBundles:
    """Folders of edge bundles.

    Attributes:
        first: a good one.
        second: another good one, which answers otherwise, says that people take things again, and has a ranker.
        zeroed: whole by its hashes, but its model answers otherwise than its examples say.
    """

    first: Path
    second: Path
    zeroed: Path


def make_device_bundles(bundle: Bundle, folder: Path) -> DeviceBundles:
    """Make them below `folder`, all of `bundle`."""
    catalogue, space = Catalogue.load(bundle.directory / "catalogue"), FeatureSpace.load(bundle.directory / "features")
    folder.mkdir(parents=True)
    made = DeviceBundles(folder / "first", folder / "second", folder / "zeroed")
    for directory in (made.first, made.second, made.zeroed):
        directory.mkdir()
    np.save(folder / "codes.npy", space.item_table["item_id"])
    models = [[str(made.first / "model.tflite"), 1], [str(made.second / "model.tflite"), 2]]
    plan = {
        "vectors": str(bundle.directory / "vectors" / "items.npy"),
        "codes": str(folder / "codes.npy"),
        "signature": {name: spec.to_json() for name, spec in space.user_signature.items()},
        "models": models,
        "k": K,
        "scratch": str(folder / "saved"),
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    program = Path(__file__).with_name("device_model.py")
    done = subprocess.run([sys.executable, str(program), str(folder / "plan.json")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = np.arange(len(catalogue), dtype=np.int32)
    inputs: list[str] = [name for name in ("history_item", "user_category_0") if name in space.user_signature]
    for directory in (made.first, made.second):
        write_catalogue(bundle, catalogue, space, rows, directory)
        write_features(bundle, space, inputs, directory, own_items=AGAIN if directory == made.second else None)
        said, ranking = (
            write_made_ranker(directory, bundle, space, rows, K) if directory == made.second else (None, None)
        )
        write_golden(bundle, catalogue, space, rows, directory, ranking=ranking)
        write_manifest(directory, bundle, space, inputs, len(rows), said)
    shutil.copytree(made.first, made.zeroed, dirs_exist_ok=True)
    shutil.copy(made.second / "model.tflite", made.zeroed)
    write_manifest(made.zeroed, bundle, space, inputs, len(rows))
    return made


def write_manifest(
    directory: Path,
    bundle: Bundle,
    space: FeatureSpace,
    inputs: list[str],
    items: int,
    ranker: EdgeRanker | None = None,
) -> None:
    """Write an `edge.json` that fits the files of `directory`."""
    files = {
        path.name: {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(directory.iterdir())
        if path.name != "edge.json"
    }
    tensors: dict[str, Any] = {
        name: {"dtype": space.user_signature[name].dtype, "shape": [1, *space.user_signature[name].shape]}
        for name in inputs
    }
    manifest = EdgeManifest.model_validate(
        {
            "format_version": 1,
            "name": "corner-shop",
            "bundle": bundle.manifest.id,
            "created": 1_760_000_000,
            "variant": "float32",
            "runtime": {"litert": "2.1.0", "operators": ["TOPK_V2"]},
            "number_of_items": items,
            "k": K,
            "inputs": {**tensors, "mask": {"dtype": "float32", "shape": [1, items]}},
            "outputs": {"items": {"dtype": "int32", "shape": [1, K]}, "scores": {"dtype": "float32", "shape": [1, K]}},
            "ranker": ranker,
            "files": files,
        }
    )
    (directory / "edge.json").write_text(json.dumps(manifest.document(), indent=1))
