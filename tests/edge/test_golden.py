import json

import numpy as np
import pytest

from savor_edge import EdgeError
from savor_edge.bundle import EdgeBundle
from savor_edge.golden import golden_problems
from tests.edge.made_bundle import seal


def problems(folder, edge_shop):
    seal(folder, edge_shop.server.id, 60)
    return golden_problems(EdgeBundle.open(folder))


@pytest.mark.parametrize("which", ["edge_shop", "shortlist"])
def test_every_example_is_met(which, edge_shop, shortlist):
    made = {"edge_shop": edge_shop, "shortlist": shortlist}[which]
    assert golden_problems(EdgeBundle.open(made.folder)) == []


def test_examples_are_nobodys(edge_shop):
    document = json.loads((edge_shop.folder / "golden.json").read_bytes())
    assert len(document["queries"]) >= 10
    users = {event["user_id"] for query in document["queries"] for event in query["events"]}
    assert users == {"golden"}
    assert any("filter" in query["request"] for query in document["queries"])
    lengths = [np.count_nonzero(query["inputs"]["history_item"]) for query in document["queries"]]
    assert max(lengths) == 20
    assert min(lengths) == 0


def test_a_stale_catalogue_is_found(edge_copy, edge_shop):
    path = edge_copy / "catalogue.json"
    document = json.loads(path.read_bytes())
    document["ids"] = [*document["ids"][1:], document["ids"][0]]
    path.write_text(json.dumps(document))
    assert any("input 'history_item' differs" in problem for problem in problems(edge_copy, edge_shop))


def test_a_wrong_vocabulary_is_found(edge_copy, edge_shop):
    path = edge_copy / "features.json"
    document = json.loads(path.read_bytes())
    entry = document["inputs"]["user_category_0"]
    entry["values"] = sorted([*entry["values"], "0"])
    path.write_text(json.dumps(document))
    assert any("input 'user_category_0' differs" in problem for problem in problems(edge_copy, edge_shop))


def test_a_model_that_does_not_run_is_found(edge_copy, edge_shop, monkeypatch):
    def failing(*arguments):
        raise EdgeError("the model cannot be run (no memory)", code="model_failed")

    monkeypatch.setattr("savor_edge.edge_model.EdgeModel.__call__", failing)
    assert any("no memory" in problem for problem in problems(edge_copy, edge_shop))


def test_another_model_is_found(edge_copy, edge_shop):
    path = edge_copy / "model.tflite"
    content = bytearray(path.read_bytes())
    vectors = np.load(edge_shop.server.path("vectors/items.npy")).tobytes()
    place = content.find(vectors)
    assert place > 0
    content[place : place + len(vectors)] = bytes(len(vectors))
    path.write_bytes(content)
    assert any("the scores differ" in problem for problem in problems(edge_copy, edge_shop))


def test_items_in_other_places_are_found(edge_copy, edge_shop):
    path = edge_copy / "golden.json"
    document = json.loads(path.read_bytes())
    query = document["queries"][3]
    query["items"][0], query["items"][5] = query["items"][5], query["items"][0]
    path.write_text(json.dumps(document))
    found = problems(edge_copy, edge_shop)
    assert len(found) == 2
    assert "place 1 has item" in found[0]
    query["scores"] = [1.0] * 10
    path.write_text(json.dumps({**document, "tolerance": {"inputs": 1e-6, "scores": 10}}))
    assert problems(edge_copy, edge_shop) == []


def test_a_mask_that_differs_is_found(edge_copy, edge_shop):
    path = edge_copy / "golden.json"
    document = json.loads(path.read_bytes())
    document["queries"][0]["mask_crc32"] += 1
    path.write_text(json.dumps(document))
    assert any("items may be shown" in problem for problem in problems(edge_copy, edge_shop))


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"format_version": 3}', b'{"format_version": 1}'])
def test_examples_that_cannot_be_read_are_an_error(edge_copy, edge_shop, content):
    (edge_copy / "golden.json").write_bytes(content)
    with pytest.raises(EdgeError, match=r"examples|update savor-edge"):
        problems(edge_copy, edge_shop)
