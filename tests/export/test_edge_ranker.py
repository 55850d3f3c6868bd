import shutil
from dataclasses import replace

import numpy as np
import orjson
import pytest
from ai_edge_litert.interpreter import Interpreter

from savor.core.errors import ExportError
from savor.export.edge_ranker import RankerExport
from savor.export.export_bundle import export_bundle
from savor.export.operators import operators_of
from savor.export.options import ExportOptions
from savor.export.ranker_trial import RankerTrial
from savor.features.catalogue import Catalogue
from savor.features.cross import CrossFeatures
from savor.features.feature_space import FeatureSpace
from savor.features.input_spec import InputSpec
from savor.features.item_statistics import ItemStatistics
from savor.features.normaliser import Normaliser
from savor.features.pair_codes import pair_signature
from savor.training.cross_network.network import build_cross_network
from savor.training.cross_network.options import DcnOptions
from savor.training.ncf.networks import build_ncf
from savor.training.ncf.options import NcfOptions
from savor.training.network_files import save_network
from savor.training.scorer_export import export_scorer
from savor_edge import EdgeRecommender
from savor_edge.ranker_model import NAME, NEW_NAME
from tests.synthetic_bundle import NOW, seal

WEIGHTS = {"ctr": 1.0, "rating": 0.5}


@pytest.fixture(scope="module")
def dcn(served_shop, tmp_path_factory):
    """The made shop with cross networks over features and ids."""
    base = tmp_path_factory.mktemp("dcn")
    parts = base / "parts"
    shutil.copytree(served_shop.bundle.directory, parts, ignore=shutil.ignore_patterns("ranker", "manifest.json"))
    space = FeatureSpace.load(parts / "features")
    sources = tuple(f"{name}_{kind}" for name in ("ann", "buy_again", "co_purchase") for kind in ("score", "rank"))
    sources = (*sources, "vector_fit", "co_purchase_fit")
    statistics = ItemStatistics.load(parts / "state" / "statistics", Catalogue.load(parts / "catalogue"))
    names = CrossFeatures(statistics, sources).names
    rng = np.random.default_rng(0)
    numbers = rng.gamma(1, 10, (500, len(names))).astype(np.float32)
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    normaliser = Normaliser.fit(numbers)
    signature = {"features": InputSpec("float32", (normaliser.width,), "numeric"), **pair_signature(space)}
    directory = parts / "ranker"
    directory.mkdir()
    for seed, name in enumerate(("all", "new")):
        network = build_cross_network(signature, DcnOptions(hidden=(16,), ids=True), 3 + seed).served
        export_scorer(network, signature, directory / f"{name}.tflite")
        save_network(network, directory / "networks" / name)
        normaliser.save(directory / f"{name}.normaliser.json")
    (directory / "features.json").write_bytes(orjson.dumps({"names": names, "source_columns": sources}))
    (directory / "ranker.json").write_bytes(orjson.dumps({"kind": "dcn"}))
    config = {**orjson.loads((parts / "config.json").read_bytes()), "scenarios": {"home": {"weights": WEIGHTS}}}
    (parts / "config.json").write_bytes(orjson.dumps(config))
    return seal(parts, base / "made"), space, parts


def test_a_cross_network_says_what_the_servers_says(dcn):
    bundle, space, _ = dcn
    made = RankerExport(bundle, space, np.arange(100, dtype=np.int32), 20, user_ids=False).make()
    assert made is not None
    contents, said = made
    assert list(contents) == [NAME, NEW_NAME]
    assert (said.kind, said.candidates) == ("dcn", 20)
    assert "user_id" not in said.inputs
    assert said.inputs["features"].shape == (1, 20, len(said.features))
    assert set(said.outputs) == {"ctr", "rating"}
    for content in contents.values():
        assert operators_of(content)
        runner = Interpreter(model_content=content).get_signature_runner("rank")
        assert {name: tuple(one["shape"]) for name, one in runner.get_input_details().items()} == {
            name: tensor.shape for name, tensor in said.inputs.items()
        }
        assert set(runner.get_output_details()) == set(said.outputs)


def test_another_network_than_the_servers_is_refused(dcn, tmp_path):
    _, space, parts = dcn
    copied = tmp_path / "parts"
    shutil.copytree(parts, copied)
    shutil.copyfile(parts / "ranker" / "new.tflite", copied / "ranker" / "all.tflite")
    other = RankerExport(seal(copied, tmp_path / "made"), space, np.arange(100, dtype=np.int32), 20, user_ids=False)
    with pytest.raises(ExportError, match="does not score as the server's does") as caught:
        other.make()
    assert caught.value.code == "parity_failed"


@pytest.fixture(scope="module")
def ranked(dcn, tmp_path_factory):
    """An edge bundle with a ranker, whether it helps or not."""
    options = ExportOptions(name="ranked", k=40, pipeline_users=10, ranker="always")
    return export_bundle(dcn[0], options, tmp_path_factory.mktemp("ranked"))


def test_a_device_ranks_as_the_server(ranked):
    found = ranked.manifest.parity["ranker"]
    assert found["shipped"]
    assert found["parity"]["agreement"]["mean"] > 0.97
    assert found["parity"]["loss"]["mean"] < 0.01
    assert set(found) == {"shipped", "bytes", "model", "ranked", "gain", "latency_ms", "parity"}
    assert ranked.manifest.ranker is not None
    assert {NAME, NEW_NAME, "ranker.json", "ranker.bin"} <= set(ranked.manifest.files)
    beside = ranked.manifest.parity["pipeline"]
    assert beside["edge"] == beside["edge_with_ranker"]


def test_the_device_serves_the_order_of_the_ranker_with_the_weights_of_the_bundle(ranked):
    recommender = EdgeRecommender.open(ranked.folder)
    assert recommender.problems() == []
    ranker = recommender.bundle.ranker
    assert ranker is not None
    assert (ranker.weights, ranker.usual) == ({"home": WEIGHTS}, {"ctr": 1.0})
    answer = recommender.recommend("somebody", 10, explain=True, now=NOW)
    assert answer["trace"]["scorer"] == "ranker"
    document = orjson.loads((ranked.folder / "golden.json").read_bytes())
    assert all(len(query["ranked"]["items"]) == 10 for query in document["queries"])


def test_a_ranker_that_does_not_help_stays_behind(dcn, tmp_path):
    options = ExportOptions(name="ranked", k=40, pipeline_users=0)
    made = export_bundle(dcn[0], options, tmp_path)
    found = made.manifest.parity["ranker"]
    assert not found["shipped"]
    assert found["gain"]["low"] <= 0
    assert made.manifest.ranker is None
    assert not [name for name in made.manifest.files if name.startswith("ranker")]
    assert EdgeRecommender.open(made.folder).problems() == []


def test_a_ranker_that_does_not_fit_stays_behind(dcn, ranked, tmp_path, monkeypatch):
    monkeypatch.setattr(RankerTrial, "helps", True)
    whole = ranked.manifest.size
    most = whole - ranked.manifest.parity["ranker"]["bytes"] // 2
    options = ExportOptions(name="ranked", k=40, pipeline_users=0, maximum_size=most)
    made = export_bundle(dcn[0], options, tmp_path)
    assert made.manifest.size <= most
    assert not made.manifest.parity["ranker"]["shipped"]
    assert EdgeRecommender.open(made.folder).problems() == []
    larger = export_bundle(dcn[0], replace(options, maximum_size=whole + 1000), tmp_path)
    assert larger.manifest.parity["ranker"]["shipped"]


def test_nobody_asks_for_a_ranker_that_is_not_wanted(dcn, tmp_path):
    made = export_bundle(dcn[0], ExportOptions(k=40, pipeline_users=0, ranker="never"), tmp_path)
    assert "ranker" not in made.manifest.parity
    assert made.manifest.ranker is None


def test_other_features_of_a_device_are_refused(dcn, tmp_path, monkeypatch):
    monkeypatch.setattr("savor_edge.own_counts.DAY", 43_200.0)
    with pytest.raises(ExportError, match=r"makes other features for the ranker: own\.") as caught:
        export_bundle(dcn[0], ExportOptions(k=40, pipeline_users=0, ranker="always"), tmp_path)
    assert caught.value.code == "features_wrong"


def test_a_ranker_over_ids_needs_the_ids_of_users(served_shop, tmp_path):
    parts = tmp_path / "parts"
    shutil.copytree(served_shop.bundle.directory, parts, ignore=shutil.ignore_patterns("ranker", "manifest.json"))
    space = FeatureSpace.load(parts / "features")
    signature = {name: spec for name, spec in pair_signature(space).items() if name in ("item_id", "user_id")}
    users, items = (signature[name].cardinality or 1 for name in ("user_id", "item_id"))
    network = build_ncf("neumf", users, items, NcfOptions(), 3).pair
    (parts / "ranker").mkdir()
    export_scorer(network, signature, parts / "ranker" / "pair.tflite")
    save_network(network, parts / "ranker" / "networks" / "pair")
    (parts / "ranker" / "ranker.json").write_bytes(orjson.dumps({"kind": "neumf"}))
    bundle, rows = seal(parts, tmp_path / "made"), np.arange(100, dtype=np.int32)
    assert RankerExport(bundle, space, rows, 20, user_ids=False).make() is None
    made = RankerExport(bundle, space, rows, 20, user_ids=True).make()
    assert made is not None
    assert list(made[0]) == [NAME]
    assert {name: tensor.shape for name, tensor in made[1].inputs.items()} == {"items": (1, 20), "user_id": (1,)}
    assert made[1].features == ()
    exported = export_bundle(
        bundle, ExportOptions(k=20, pipeline_users=0, user_ids=True, ranker="always"), tmp_path / "edge"
    )
    assert exported.manifest.parity["ranker"]["parity"]["agreement"]["mean"] > 0.97
    recommender = EdgeRecommender.open(exported.folder)
    assert recommender.problems() == []
    one, other = (recommender.recommend(f"household-{row}", 5, now=NOW) for row in (3, 4))
    assert one["recommendations"] != other["recommendations"]


def test_trees_and_rankers_over_unknown_ids_stay_on_the_server(served_shop, dcn):
    space = dcn[1]
    rows = np.arange(100, dtype=np.int32)
    assert RankerExport(served_shop.bundle, space, rows, 20, user_ids=False).make() is None
