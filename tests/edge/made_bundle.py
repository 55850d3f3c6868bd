"""Edge bundles of the made shop, for the tests of the edge runtime."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import orjson

from savor.bundle.bundle import Bundle
from savor.bundle.edge_manifest import EDGE_MANIFEST, EdgeManifest, EdgeRanker, Runtime, Tensor
from savor.bundle.manifest import FileEntry
from savor.core.hashing import sha256_file
from savor.export.edge_catalogue import write_catalogue
from savor.export.edge_features import write_features
from savor.export.edge_golden import write_golden
from savor.export.own_items import OwnItemsBonus
from savor.export.shard import choose_rows
from savor.features.catalogue import Catalogue
from savor.features.feature_space import FeatureSpace
from savor_edge.edge_model import EdgeModel
from tests.made_ranker import write_made_ranker
from tests.synthetic_bundle import NOW, Sizes, write_parts
from tests.synthetic_bundle import seal as seal_server

OUTPUTS = {"items": "int32", "scores": "float32"}


@dataclass(frozen=True)
class Made:
    """An edge bundle, and what it was made of."""

    folder: Path
    server: Bundle
    catalogue: Catalogue
    space: FeatureSpace
    rows: np.ndarray


@cache
def made_server(base: Path) -> Bundle:
    """The made shop without what only a server needs; made once in a test run."""
    write_parts(base / "edge-server-parts", Sizes(), tower=False)
    return seal_server(base / "edge-server-parts", base / "edge-server")


@cache
def made_models(base: Path) -> Path:
    """Folder with `all.tflite` and `24.tflite`; made once in a test run."""
    server = made_server(base)
    catalogue, space = Catalogue.load(server.path("catalogue")), FeatureSpace.load(server.path("features"))
    directory = base / "edge-models"
    directory.mkdir()
    told = {name: spec.to_json() for name, spec in space.user_signature.items()}
    (directory / "signature.json").write_text(json.dumps(told))
    vectors = np.load(server.path("vectors/items.npy"))
    for name, items in (("all", None), ("24", 24)):
        np.save(directory / f"{name}.npy", vectors[choose_rows(server, catalogue, items=items).rows])
    program = Path(__file__).with_name("made_model.py")
    arguments = [sys.executable, str(program), str(directory), "all", "24"]
    done = subprocess.run(arguments, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return directory


@cache
def made_edge(
    base: Path, items: int | None = None, own_items: OwnItemsBonus | None = None, *, ranker: bool = False
) -> Made:
    """The made shop as an edge bundle, or a shortlist of it, with or without a bonus for own items, and a ranker."""
    server = made_server(base)
    catalogue, space = Catalogue.load(server.path("catalogue")), FeatureSpace.load(server.path("features"))
    rows = choose_rows(server, catalogue, items=items).rows
    name = str(items or "all")
    folder = base / f"edge-{name}{'' if own_items is None else '-own'}{'-ranked' if ranker else ''}"
    folder.mkdir()
    shutil.copyfile(made_models(base) / f"{name}.tflite", folder / "model.tflite")
    write_catalogue(server, catalogue, space, rows, folder)
    write_features(server, space, list(space.user_signature), folder, own_items=own_items)
    said, ranking = write_made_ranker(folder, server, space, rows, min(20, len(rows))) if ranker else (None, None)
    write_golden(server, catalogue, space, rows, folder, ranking=ranking)
    seal(folder, server.id, len(rows), said)
    return Made(folder, server, catalogue, space, rows)


def seal(folder: Path, bundle: str, number: int, ranker: EdgeRanker | None = None) -> str:
    """Write `edge.json` over what is in `folder`; its id."""
    (folder / EDGE_MANIFEST).unlink(missing_ok=True)
    shapes = EdgeModel.open(folder).shapes
    k = min(20, number)
    manifest = EdgeManifest(
        format_version=1,
        name="made",
        bundle=bundle,
        created=NOW,
        variant="float32",
        runtime=Runtime(litert="2.1.0", operators=()),
        number_of_items=number,
        k=k,
        inputs={name: Tensor(dtype=dtype, shape=shape) for name, (dtype, shape) in shapes.items()},
        outputs={name: Tensor(dtype=dtype, shape=(1, k)) for name, dtype in OUTPUTS.items()},
        ranker=ranker,
        files={
            path.name: FileEntry(size=path.stat().st_size, sha256=sha256_file(path))
            for path in sorted(folder.iterdir())
        },
        parity={"ndcg": 0.5},
    )
    (folder / EDGE_MANIFEST).write_bytes(orjson.dumps(manifest.document()))
    return manifest.id
