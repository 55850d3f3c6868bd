import shutil

import numpy as np
import orjson
import pytest
from ai_edge_litert.interpreter import Interpreter

from savor.core.errors import ExportError
from savor.export.edge_ranker import NAME, RankerExport
from savor.export.operators import operators_of
from savor.features.feature_space import FeatureSpace
from savor.features.input_spec import InputSpec
from savor.features.normaliser import Normaliser
from savor.features.pair_codes import pair_signature
from savor.training.cross_network.network import build_cross_network
from savor.training.cross_network.options import DcnOptions
from savor.training.ncf.networks import build_ncf
from savor.training.ncf.options import NcfOptions
from savor.training.network_files import save_network
from savor.training.scorer_export import export_scorer
from tests.synthetic_bundle import seal


@pytest.fixture(scope="module")
def dcn(served_shop, tmp_path_factory):
    """The made shop with a cross network over features and ids."""
    base = tmp_path_factory.mktemp("dcn")
    parts = base / "parts"
    shutil.copytree(served_shop.bundle.directory, parts, ignore=shutil.ignore_patterns("ranker", "manifest.json"))
    space = FeatureSpace.load(parts / "features")
    names = orjson.loads((served_shop.bundle.path("ranker/features.json")).read_bytes())["names"]
    rng = np.random.default_rng(0)
    numbers = rng.gamma(1, 10, (500, len(names))).astype(np.float32)
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    normaliser = Normaliser.fit(numbers)
    signature = {"features": InputSpec("float32", (normaliser.width,), "numeric"), **pair_signature(space)}
    network = build_cross_network(signature, DcnOptions(hidden=(16,), ids=True), 3).served
    directory = parts / "ranker"
    directory.mkdir()
    export_scorer(network, signature, directory / "all.tflite")
    save_network(network, directory / "networks" / "all")
    normaliser.save(directory / "all.normaliser.json")
    (directory / "features.json").write_bytes(orjson.dumps({"names": names, "source_columns": []}))
    (directory / "ranker.json").write_bytes(orjson.dumps({"kind": "dcn"}))
    return seal(parts, base / "made"), space, parts


def test_a_cross_network_scores_as_on_the_server(dcn):
    bundle, space, _ = dcn
    made = RankerExport(bundle, space, np.arange(100, dtype=np.int32), 20, user_ids=False).make()
    assert made is not None
    content, said = made
    assert (said.kind, said.candidates) == ("dcn", 20)
    assert "user_id" not in said.inputs
    assert said.inputs["features"].shape == (1, 20, len(said.features))
    assert operators_of(content)
    runner = Interpreter(model_content=content).get_signature_runner("rank")
    assert {name: tuple(one["shape"]) for name, one in runner.get_input_details().items()} == {
        name: tensor.shape for name, tensor in said.inputs.items()
    }


def test_another_network_than_the_servers_is_refused(dcn, tmp_path):
    bundle, space, parts = dcn
    copied = tmp_path / "parts"
    shutil.copytree(parts, copied)
    document = orjson.loads((copied / "ranker" / "all.normaliser.json").read_bytes())
    (copied / "ranker" / "all.normaliser.json").write_bytes(
        orjson.dumps({**document, "scale": [3 * scale for scale in document["scale"]]})
    )
    export = RankerExport(bundle, space, np.arange(100, dtype=np.int32), 20, user_ids=False)
    other = RankerExport(seal(copied, tmp_path / "made"), space, export.rows, 20, user_ids=False)
    made = export.make()
    assert made is not None
    with pytest.raises(ExportError, match="does not score as the server's does") as caught:
        other._check(made[0], "dcn", made[1].inputs, len(made[1].features))
    assert caught.value.code == "parity_failed"


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
    assert {name: tensor.shape for name, tensor in made[1].inputs.items()} == {"items": (1, 20), "user_id": (1,)}
    assert made[1].features == ()


def test_trees_and_rankers_over_unknown_ids_stay_on_the_server(served_shop, dcn):
    space = dcn[1]
    rows = np.arange(100, dtype=np.int32)
    assert RankerExport(served_shop.bundle, space, rows, 20, user_ids=False).make() is None
    assert NAME == "ranker.tflite"
