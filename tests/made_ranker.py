"""A ranker for edge bundles of the made shop."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.bundle.edge_manifest import EdgeRanker, Tensor
from savor.export.golden_ranking import GoldenRanking
from savor.export.ranker_tables import RankerTables
from savor.export.server_ranking import ServerRanking
from savor.features.catalogue import Catalogue
from savor.features.feature_space import FeatureSpace


def write_made_ranker(
    folder: Path, bundle: Bundle, space: FeatureSpace, rows: NDArray[np.int32], k: int
) -> tuple[EdgeRanker, GoldenRanking]:
    """Write the files of a ranker into `folder`: what the manifest says of it, and what ranks its examples."""
    names = tuple(bundle.read_json("ranker/features.json")["names"])
    program = Path(__file__).with_name("made_ranker_model.py")
    scratch = folder.with_name(f"{folder.name}-ranker")
    scratch.mkdir()
    files = ("ranker.tflite", "ranker_new.tflite")
    arguments = [str(len(rows)), str(k), str(len(names)), *(str(scratch / name) for name in files)]
    done = subprocess.run([sys.executable, str(program), *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for name in files:
        (scratch / name).rename(folder / name)
    tables = RankerTables(bundle, Catalogue.load(bundle.path("catalogue")), space, rows)
    tables.write("dcn", folder)
    said = EdgeRanker(
        kind="dcn",
        candidates=k,
        inputs={
            "items": Tensor(dtype="int32", shape=(1, k)),
            "features": Tensor(dtype="float32", shape=(1, k, len(names))),
        },
        outputs={head: Tensor(dtype="float32", shape=(1, k)) for head in ("ctr", "rating")},
        features=names,
    )
    return said, GoldenRanking(folder, ServerRanking(bundle, rows), tables.statistics)
