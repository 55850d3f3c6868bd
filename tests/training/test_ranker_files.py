"""Each kind of ranker through its files, as a bundle has them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from savor.core.errors import TrainingError
from savor.features.input_spec import InputSpec
from savor.features.normaliser import Normaliser
from savor.training.cross_network.network import build_cross_network
from savor.training.cross_network.options import DcnOptions
from savor.training.ncf.networks import build_ncf
from savor.training.ncf.options import NcfOptions
from savor.training.scorer_export import export_scorer
from tests.models.ranker_conformance import RankerConformance, codes, numbers

CODES = {
    "user_id": InputSpec("int32", (), "id", 20, "id"),
    "item_id": InputSpec("int32", (), "id", 30, "id"),
}
ROWS = np.arange(300)


def write_trees(folder: Path) -> None:
    features = numbers(ROWS)
    label = np.nan_to_num(features[:, 0]) > 0
    xgb.train({"nthread": 1}, xgb.DMatrix(features, label), 5).save_model(folder / "all.ubj")


def write_dcn(folder: Path, ids: bool) -> None:
    normaliser = Normaliser.fit(numbers(ROWS))
    signature = {"features": InputSpec("float32", (normaliser.width,), "numeric"), **(CODES if ids else {})}
    networks = build_cross_network(signature, DcnOptions(hidden=(8,), rank=3, ids=ids), 1)
    inputs = {"features": normaliser.transform(numbers(ROWS)), **(codes(ROWS) if ids else {})}
    parity = export_scorer(networks.served, signature, folder / "all.tflite", inputs)
    assert parity.largest_difference < 1e-4
    assert parity.rows == 501
    normaliser.save(folder / "all.normaliser.json")


def write_pair(folder: Path, kind) -> None:
    networks = build_ncf(kind, 20, 30, NcfOptions(factors=4, mlp_factors=4, hidden=(8,)), 1)
    assert export_scorer(networks.pair, CODES, folder / "pair.tflite", codes(ROWS)).largest_difference < 1e-4


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Makes a folder by name, once."""
    known: dict[str, Path] = {}
    makers = {
        "trees": write_trees,
        "dcn": lambda folder: write_dcn(folder, False),
        "dcn with ids": lambda folder: write_dcn(folder, True),
        "neumf": lambda folder: write_pair(folder, "neumf"),
        "mlp": lambda folder: write_pair(folder, "mlp"),
        "gmf": lambda folder: write_pair(folder, "gmf"),
    }

    def make(name: str) -> Path:
        if name not in known:
            known[name] = tmp_path_factory.mktemp("ranker")
            makers[name](known[name])
        return known[name]

    return make


class FromFolder(RankerConformance):
    folder: str

    @pytest.fixture
    def directory(self, made, tmp_path):
        shutil.copytree(made(self.folder), tmp_path / "ranker")
        return tmp_path / "ranker"


class TestTrees(FromFolder):
    folder = "trees"
    opener = "XgboostRanker.load(directory / 'all.ubj')"
    asker = "ranker.score(numbers(rows))"


class TestDcn(FromFolder):
    folder = "dcn"
    opener = "DcnRanker.load(directory, 'all')"
    asker = "ranker.score(numbers(rows))"


class TestDcnWithIds(FromFolder):
    folder = "dcn with ids"
    opener = "DcnRanker.load(directory, 'all')"
    asker = "ranker.score(numbers(rows), codes(rows))"


class TestNeuMf(FromFolder):
    folder = "neumf"
    opener = "PairRanker.load(directory / 'pair.tflite')"
    asker = "ranker.score(codes(rows))"


class TestMlp(TestNeuMf):
    folder = "mlp"


class TestGmf(TestNeuMf):
    folder = "gmf"


def test_an_export_that_differs_is_refused(tmp_path, monkeypatch):
    """A file with other weights than the network, as some converters make."""
    networks = build_ncf("gmf", 20, 30, NcfOptions(factors=4), 1)
    other = build_ncf("gmf", 20, 30, NcfOptions(factors=4), 2)
    monkeypatch.setattr(networks.pair, "export", other.pair.export)
    with pytest.raises(TrainingError, match="differs"):
        export_scorer(networks.pair, CODES, tmp_path / "pair.tflite")
    assert list(tmp_path.iterdir()) == []
