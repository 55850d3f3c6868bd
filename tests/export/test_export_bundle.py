import json
import shutil
from dataclasses import replace

import numpy as np
import orjson
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from savor.bundle.edge_manifest import EdgeManifest
from savor.core.errors import ExportError
from savor.export.export_bundle import BundleExport, export_bundle
from savor.export.options import ExportOptions
from savor.export.tidy_model import _packed
from savor.export.variant import VARIANTS, variant
from savor_edge import EdgeRecommender
from tests.synthetic_bundle import NOW, seal

SMALL = ExportOptions(name="made", k=20, pipeline_users=10)


@pytest.fixture(scope="module")
def exported(served_shop, tmp_path_factory):
    return export_bundle(served_shop.bundle, SMALL, tmp_path_factory.mktemp("edge"), clock=lambda: NOW)


def test_the_folder_holds_what_its_manifest_says(exported, served_shop):
    manifest = EdgeManifest.read(exported.folder)
    assert manifest == exported.manifest
    assert exported.folder.name == manifest.id
    assert list(manifest.problems(exported.folder)) == []
    assert set(manifest.files) >= {"model.tflite", "catalogue.json", "catalogue.bin", "features.json", "golden.json"}
    assert (manifest.bundle, manifest.variant, manifest.k, manifest.number_of_items) == (
        served_shop.bundle.id,
        "int8_rescored",
        20,
        300,
    )
    assert manifest.parity["loss"]["mean"] <= 0.002
    assert manifest.parity["agreement"]["mean"] >= 0.9
    assert 0 <= manifest.parity["pipeline"]["agreement"]["mean"] <= 1


def test_the_model_has_one_signature_with_fixed_shapes(exported, served_shop):
    interpreter = Interpreter(str(exported.folder / "model.tflite"), num_threads=1)
    assert list(interpreter.get_signature_list()) == ["recommend"]
    given = interpreter.get_signature_runner("recommend").get_input_details()
    expected = {name for name in served_shop.towers.user.input if name != "user_id"} | {"mask"}
    assert set(given) == expected == set(exported.manifest.inputs)
    for name, detail in given.items():
        assert tuple(detail["shape_signature"]) == exported.manifest.inputs[name].shape
        assert np.dtype(detail["dtype"]).name == exported.manifest.inputs[name].dtype
    out = interpreter.get_signature_runner("recommend").get_output_details()
    assert {name: (tuple(one["shape"]), np.dtype(one["dtype"]).name) for name, one in out.items()} == {
        "items": ((1, 20), "int32"),
        "scores": ((1, 20), "float32"),
    }


def test_the_same_bundle_gives_the_same_edge_bundle(exported, served_shop):
    again = export_bundle(served_shop.bundle, SMALL, exported.folder.parent, clock=lambda: NOW + 5)
    assert again.folder == exported.folder
    assert EdgeManifest.read(again.folder).created == NOW


def test_the_runtime_answers_from_it(exported):
    recommender = EdgeRecommender.open(exported.folder, clock=lambda: NOW * 1000)
    answer = recommender.recommend("somebody", 5)
    assert len(answer["recommendations"]) == 5


def test_the_table_of_users_stays_on_the_server(exported, served_shop):
    users = served_shop.towers.space.users.ids.cardinality
    model = schema.ModelT.InitFromPackedBuf(bytearray((exported.folder / "model.tflite").read_bytes()), 0)
    assert users not in {int(tensor.shape[0]) for tensor in model.subgraphs[0].tensors if len(tensor.shape) == 2}
    assert "user_id" not in json.loads((exported.folder / "features.json").read_text())["inputs"]


def test_with_user_ids_everybody_is_known(served_shop, tmp_path):
    options = replace(SMALL, user_ids=True, variant="float32")
    manifest = export_bundle(served_shop.bundle, options, tmp_path).manifest
    assert manifest.user_ids
    assert manifest.inputs["user_id"].shape == (1,)
    assert manifest.parity["agreement"]["mean"] > 0.999


def test_a_part_of_the_catalogue_with_the_item_tower(served_shop, tmp_path):
    options = replace(SMALL, items=50, item_tower=True, variant="float16")
    exported = export_bundle(served_shop.bundle, options, tmp_path)
    manifest = exported.manifest
    assert manifest.number_of_items == 50
    assert manifest.shard is not None
    assert manifest.inputs["mask"].shape == (1, 50)
    assert manifest.item_tower is not None
    assert manifest.item_tower.outputs["vector"].shape == (1, 16)
    assert "item_tower.tflite" in manifest.files
    assert manifest.parity["agreement"]["mean"] > 0.98


def test_too_large_a_bundle_is_not_written(served_shop, tmp_path):
    with pytest.raises(ExportError, match=r"has [\d,]+ bytes, and 1,000 are allowed"):
        export_bundle(served_shop.bundle, replace(SMALL, maximum_size=1000, variant="float32"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_without_networks_is_refused(served_shop, tmp_path):
    parts = tmp_path / "parts"
    shutil.copytree(served_shop.bundle.directory, parts, ignore=shutil.ignore_patterns("networks", "manifest.json"))
    with pytest.raises(ExportError, match=r"keeps no network .*`savor train`"):
        export_bundle(seal(parts, tmp_path / "made"), SMALL, tmp_path / "out")


@pytest.mark.parametrize("name", [one.name for one in VARIANTS])
def test_every_variant_answers_nearly_as_the_server(export: BundleExport, name):
    measured = export.measure(variant(name), export.make(variant(name)))
    lists = measured.lists
    assert measured.parity.agreement.mean > {"full_int8": 0.3, "dynamic_int8": 0.9, "int8_fast": 0.9}.get(name, 0.97)
    for question in range(len(export.questions)):
        found = lists.items[question][lists.items[question] >= 0]
        assert len(np.unique(found)) == len(found)
        assert not np.isin(found, export.questions.closed(question)).any()
    assert (np.diff(lists.scores, axis=1) <= 1e-6).all()


def test_8_bits_are_stored_once(export: BundleExport):
    model = schema.ModelT.InitFromPackedBuf(bytearray(export.make(variant("int8_rows"))), 0)
    tables = [
        tensor
        for tensor in model.subgraphs[0].tensors
        if list(tensor.shape) == [300, 16] and model.buffers[tensor.buffer].data is not None
    ]
    assert {tensor.type for tensor in tables} == {schema.TensorType.INT8}
    assert len({tensor.buffer for tensor in tables}) == 1


def test_a_model_without_weights_is_refused(export: BundleExport):
    model = schema.ModelT.InitFromPackedBuf(bytearray(export.make(variant("float32"))), 0)
    for buffer in model.buffers:
        if buffer.data is not None and len(buffer.data) > 256:
            buffer.data = np.zeros_like(buffer.data)
    measured = export.measure(variant("float32"), _packed(model))
    with pytest.raises(ExportError, match="the model has lost its weights") as caught:
        export.require(measured)
    assert caught.value.code == "parity_failed"
    assert "NDCG@10" in str(caught.value) or "first ten items" in str(caught.value)


def test_a_model_of_other_vectors_is_refused_and_says_where(export: BundleExport, served_shop, tmp_path):
    stale = BundleExport(served_shop.bundle, export.options, tmp_path)
    vars(stale)["vectors"] = np.roll(export.vectors, 1, axis=0)
    measured = export.measure(variant("float32"), stale.make(variant("float32")))
    with pytest.raises(ExportError, match=r"User 'household-\d+' at place 1: the server has item '\d+' with score"):
        export.require(measured)


def test_a_stale_catalogue_is_refused(export: BundleExport):
    path = export.work / "catalogue.json"
    document = orjson.loads(path.read_bytes())
    document["ids"][3], document["ids"][4] = document["ids"][4], document["ids"][3]
    path.write_bytes(orjson.dumps(document))
    with pytest.raises(ExportError, match="row 3 is item '1004' on the device and '1003' on the server") as caught:
        export.measure(variant("float32"), export.make(variant("float32")))
    assert caught.value.code == "catalogue_stale"


def test_a_stale_price_is_refused(export: BundleExport):
    path = export.work / "catalogue.json"
    place = orjson.loads(path.read_bytes())["arrays"]["price"]
    packed = bytearray((export.work / "catalogue.bin").read_bytes())
    packed[place["offset"] + 4 : place["offset"] + 8] = np.float32(123.5).tobytes()
    (export.work / "catalogue.bin").write_bytes(packed)
    with pytest.raises(ExportError, match=r"the price of item '1001' is 123\.5 on the device"):
        export.device_inputs  # noqa: B018


@pytest.mark.parametrize("what", ["values", "order"])
def test_a_wrong_vocabulary_is_refused(export: BundleExport, what):
    path = export.work / "features.json"
    document = orjson.loads(path.read_bytes())
    name = next(name for name, entry in document["inputs"].items() if entry["kind"] == "category")
    if what == "values":
        document["inputs"][name]["values"] = ["another", "vocabulary"]
    else:
        document["inputs"][name]["values"] = document["inputs"][name]["values"][::-1]
    path.write_bytes(orjson.dumps(document))
    expected = rf"{name}\[0\] of user 'household-\d+' is \d+ on the device and \d+ on the server"
    with pytest.raises(ExportError, match=expected) as caught:
        export.device_inputs  # noqa: B018
    assert caught.value.code == "vocabulary_wrong"


def test_a_wrong_vocabulary_of_items_is_refused(export: BundleExport):
    path = export.work / "catalogue.json"
    place = orjson.loads(path.read_bytes())["arrays"]["history_item"]
    packed = bytearray((export.work / "catalogue.bin").read_bytes())
    dtype = np.dtype(place["dtype"])
    codes = np.frombuffer(packed, dtype, place["length"], place["offset"])
    end = place["offset"] + place["length"] * dtype.itemsize
    packed[place["offset"] : end] = np.roll(codes, 1).tobytes()
    (export.work / "catalogue.bin").write_bytes(packed)
    with pytest.raises(ExportError, match=r"history_item\[0\] of user"):
        export.device_inputs  # noqa: B018
