import importlib.metadata
import json

import numpy as np
import pytest

from savor_edge import EdgeError, EdgeRecommender
from savor_edge.bundle import EdgeBundle
from savor_edge.edge_model import LEAST, EdgeModel
from savor_edge.manifest import content_id
from tests.edge.made_bundle import seal
from tests.synthetic_bundle import NOW


def rewritten(folder, change):
    path = folder / "edge.json"
    document = json.loads(path.read_bytes())
    change(document)
    document["id"] = content_id(document)
    path.write_text(json.dumps(document))


def refused(folder, **options):
    with pytest.raises(EdgeError) as caught:
        EdgeBundle.open(folder, **options)
    return str(caught.value)


def test_a_bundle_opens(edge_shop):
    bundle = EdgeBundle.open(edge_shop.folder)
    assert bundle.manifest.bundle == edge_shop.server.id
    assert bundle.manifest.number_of_items == 60


def test_when_and_how_good_are_no_part_of_the_id(edge_copy):
    before = EdgeBundle.open(edge_copy).id
    rewritten(edge_copy, lambda document: document.update(created=1, parity={"ndcg": 0.1}))
    assert EdgeBundle.open(edge_copy).id == before


@pytest.mark.parametrize("name", ["model.tflite", "catalogue.json", "catalogue.bin", "features.json", "golden.json"])
def test_damage_is_found(edge_copy, name):
    path = edge_copy / name
    content = path.read_bytes()
    path.write_bytes(content[:-3] + b"abc")
    assert f"{name} was changed" in refused(edge_copy)
    path.write_bytes(content[:-3])
    assert f"{name} is truncated" in refused(edge_copy, verify=False)
    path.unlink()
    assert f"{name} is missing" in refused(edge_copy, verify=False)


def test_a_manifest_that_was_changed_is_refused(edge_copy):
    path = edge_copy / "edge.json"
    path.write_bytes(path.read_bytes().replace(b'"number_of_items":60', b'"number_of_items":61'))
    assert "its content has" in refused(edge_copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document.update(format_version=2), "update savor-edge"),
        (lambda document: document.update(number_of_items=61), "61 items, and the catalogue 60"),
        (lambda document: document.update(runtime={"litert": "9.0"}), "needs LiteRT 9.0 or newer"),
        (lambda document: document["files"].pop("features.json"), "it names no features.json"),
        (lambda document: document["files"].update({"../x": {"size": 1, "sha256": "0" * 64}}), "cannot be the name"),
        (lambda document: document["files"].update({".x": {"size": 1, "sha256": "0" * 64}}), "cannot be the name"),
        (lambda document: document["files"].update(x={"size": 1, "sha256": "0"}), "SHA-256"),
        (lambda document: document.pop("inputs"), "KeyError"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(edge_copy, change, message):
    rewritten(edge_copy, change)
    assert message in refused(edge_copy)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff"])
def test_a_manifest_that_is_none_is_refused(edge_copy, content):
    (edge_copy / "edge.json").write_bytes(content)
    assert "manifest of an edge bundle" in refused(edge_copy)


def test_no_bundle(tmp_path):
    assert "savor export" in refused(tmp_path)
    with pytest.raises(EdgeError, match="there is no edge bundle"):
        EdgeRecommender.open(tmp_path)


def test_a_runtime_without_a_version_is_trusted(edge_shop, monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("savor_edge.bundle.version", absent)
    EdgeBundle.open(edge_shop.folder)


def test_parts_that_do_not_fit_are_refused(edge_copy, edge_shop, shortlist):
    (edge_copy / "model.tflite").write_bytes((shortlist.folder / "model.tflite").read_bytes())
    seal(edge_copy, edge_shop.server.id, 60)
    assert "the model's mask is float32 (1, 24), not float32 (1, 60)" in refused(edge_copy)
    (edge_copy / "model.tflite").write_bytes((edge_shop.folder / "model.tflite").read_bytes())
    document = json.loads((edge_copy / "features.json").read_bytes())
    document["inputs"]["history_age"]["shape"] = [19]
    del document["inputs"]["history_item"]
    (edge_copy / "features.json").write_text(json.dumps(document))
    seal(edge_copy, edge_shop.server.id, 60)
    problem = refused(edge_copy)
    assert "history_age is int32 (1, 20) to the model, and int32 (1, 19) to the features" in problem
    assert "history_item is an input of the model, and the features have no such input" in problem


def test_a_file_that_is_no_model_is_refused(edge_copy):
    (edge_copy / "model.tflite").write_bytes(b"TFL3" * 100)
    with pytest.raises(EdgeError, match="cannot be run as the model"):
        EdgeModel.open(edge_copy)


def test_the_model_bars_what_the_mask_bars(edge_shop):
    bundle = EdgeBundle.open(edge_shop.folder)
    inputs = bundle.features.inputs([], {}, NOW)
    free = bundle.model(inputs)
    assert (np.diff(free.scores) <= 0).all()
    mask = np.full(60, np.float32(-1e9))
    mask[free.items[2:5]] = 0
    some = bundle.model(inputs, mask)
    assert some.items[some.scores > LEAST].tolist() == free.items[2:5].tolist()
    np.testing.assert_array_equal(bundle.model(inputs).items, free.items)


def test_inputs_of_another_shape_are_refused(edge_shop):
    bundle = EdgeBundle.open(edge_shop.folder)
    inputs = bundle.features.inputs([], {}, NOW)
    with pytest.raises(EdgeError, match=r"'history_item' of the model must be int32 \(1, 20\), and it is int64"):
        bundle.model({**inputs, "history_item": inputs["history_item"].astype(np.int64)})
    del inputs["history_age"]
    with pytest.raises(EdgeError, match="it is absent"):
        bundle.model(inputs)
