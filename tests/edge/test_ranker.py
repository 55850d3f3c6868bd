import json
import shutil

import numpy as np
import pytest

from savor.bundle.edge_manifest import EdgeManifest
from savor_edge import EdgeError, EdgeRecommender
from savor_edge.bundle import EdgeBundle
from savor_edge.golden import golden_problems
from savor_edge.ranker_model import RankerModel
from tests.edge.made_bundle import seal
from tests.synthetic_bundle import NOW


@pytest.fixture
def ranked_copy(ranked_shop, tmp_path):
    return shutil.copytree(ranked_shop.folder, tmp_path / "copy")


def sealed(folder, ranked_shop, ranker=True):
    said = EdgeManifest.read(ranked_shop.folder).ranker if ranker else None
    seal(folder, ranked_shop.server.id, 24, said)
    return folder


def opened(folder):
    recommender = EdgeRecommender.open(folder, clock=lambda: NOW * 1000)
    ids = recommender.bundle.catalogue.ids
    events = [("a", 4), ("b", 9), ("a", 5), ("a", 4)]
    recommender.record(
        {"user_id": "ann", "kind": "purchase", "item_id": ids[item], "time": NOW - day * 86_400, "basket_id": basket}
        for day, (basket, item) in zip((40, 20, 12, 3), events, strict=True)
    )
    return recommender


def listed(answer):
    return [item["item_id"] for item in answer["recommendations"]]


def test_the_examples_hold_the_order_of_the_ranker(ranked_shop):
    bundle = EdgeBundle.open(ranked_shop.folder)
    assert bundle.ranker is not None
    assert golden_problems(bundle) == []
    document = json.loads((ranked_shop.folder / "golden.json").read_bytes())
    assert any(query["ranked"]["items"] != query["items"] for query in document["queries"])


def test_lists_come_in_the_order_of_the_ranker(ranked_shop):
    recommender = opened(ranked_shop.folder)
    answer = recommender.recommend("ann", 24, explain=True, diversity=False, now=NOW)
    scores = [item["score"] for item in answer["recommendations"] if item["score"] is not None]
    assert answer["trace"]["scorer"] == "ranker"
    assert answer["trace"]["ranked"] == len(scores) > recommender.bundle.ranker.k
    assert scores == sorted(scores, reverse=True)
    places = [item["explanation"]["sources"]["edge_model"]["rank"] for item in answer["recommendations"][:5]]
    assert places != sorted(places)
    assert answer["fallback"] is None
    assert opened(ranked_shop.folder).recommend("ann", 5, exclude_seen=True, now=NOW)["num_recommendations"] == 5


def test_given_items_are_ranked_too(ranked_shop):
    recommender = opened(ranked_shop.folder)
    ids = recommender.bundle.catalogue.ids
    ranked = recommender.rank([*ids[:6], "elsewhere"], "ann", now=NOW)["items"]
    scores = [item["score"] for item in ranked[:-1]]
    assert scores == sorted(scores, reverse=True)
    assert ranked[-1] == {"item_id": "elsewhere", "score": None, "name": None}


def test_weights_of_the_scenario_count(ranked_copy, ranked_shop):
    before = listed(opened(ranked_shop.folder).recommend("ann", 10, diversity=False, now=NOW))
    path = ranked_copy / "ranker.json"
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps({**document, "weights": {"home": {"rating": -1.0}}}))
    recommender = opened(sealed(ranked_copy, ranked_shop))
    assert listed(recommender.recommend("ann", 10, diversity=False, now=NOW)) != before
    discovered = recommender.recommend("ann", 10, scenario="discover", diversity=False, now=NOW)
    plain = opened(ranked_shop.folder).recommend("ann", 10, scenario="discover", diversity=False, now=NOW)
    assert listed(discovered) == listed(plain)


def test_only_new_items_have_a_network_of_their_own(ranked_copy, ranked_shop):
    shutil.copyfile(ranked_copy / "ranker.tflite", ranked_copy / "ranker_new.tflite")
    same = opened(sealed(ranked_copy, ranked_shop))
    usual = opened(ranked_shop.folder)
    for seen in (False, True):
        one, other = (each.recommend("ann", 10, exclude_seen=seen, diversity=False, now=NOW) for each in (same, usual))
        assert (listed(one) == listed(other)) == (not seen)
    (ranked_copy / "ranker_new.tflite").unlink()
    alone = opened(sealed(ranked_copy, ranked_shop))
    again = same.recommend("ann", 10, exclude_seen=True, diversity=False, now=NOW)
    assert listed(alone.recommend("ann", 10, exclude_seen=True, diversity=False, now=NOW)) == listed(again)


def test_a_bundle_without_what_the_ranker_needs_serves_the_order_of_the_model(ranked_copy, ranked_shop):
    (ranked_copy / "ranker.json").unlink()
    (ranked_copy / "ranker.bin").unlink()
    bundle = EdgeBundle.open(sealed(ranked_copy, ranked_shop))
    assert bundle.ranker is None
    assert golden_problems(bundle) == []
    assert opened(ranked_copy).recommend("nobody", 5, explain=True, now=NOW)["trace"]["scorer"] == "edge_model"


@pytest.mark.parametrize("newer", ["format", "features"])
def test_a_ranker_of_a_newer_kind_is_left_aside(newer, ranked_copy, ranked_shop):
    path = ranked_copy / "ranker.json"
    document = json.loads(path.read_bytes())
    if newer == "format":
        document["format_version"] = 2
    else:
        document["sources"]["columns"].append("telepathy")
    path.write_text(json.dumps(document))
    bundle = EdgeBundle.open(sealed(ranked_copy, ranked_shop))
    assert bundle.ranker is None
    assert golden_problems(bundle) == []


def test_damage_is_refused(ranked_copy, ranked_shop):
    path = ranked_copy / "ranker.bin"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(EdgeError, match=r"the ranker in .* cannot be read"):
        EdgeBundle.open(sealed(ranked_copy, ranked_shop))
    shutil.copyfile(ranked_shop.folder / "ranker.bin", path)
    (ranked_copy / "ranker.tflite").write_bytes(b"no model")
    with pytest.raises(EdgeError, match="cannot be run as the ranker"):
        EdgeBundle.open(sealed(ranked_copy, ranked_shop))


def test_a_head_that_nobody_says_is_refused(ranked_copy, ranked_shop):
    path = ranked_copy / "ranker.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "weights": {"home": {"joy": 1.0}}}))
    with pytest.raises(EdgeError, match="does not say \\['joy'\\]"):
        EdgeBundle.open(sealed(ranked_copy, ranked_shop))


@pytest.mark.parametrize("part", ["statistics", "network", "horizon"])
def test_another_ranker_is_found_by_the_examples(part, ranked_copy, ranked_shop):
    if part == "network":
        shutil.copyfile(ranked_copy / "ranker_new.tflite", ranked_copy / "ranker.tflite")
    elif part == "horizon":
        path = ranked_copy / "ranker.json"
        path.write_text(path.read_text().replace('"horizon_days":28', '"horizon_days":14'))
    else:
        path = ranked_copy / "ranker.bin"
        numbers = np.frombuffer(path.read_bytes(), np.uint8).copy()
        place = json.loads((ranked_copy / "ranker.json").read_bytes())["arrays"]["items"]
        halves = numbers[place["offset"] : place["offset"] + 2 * place["length"]].view(np.float16)
        halves += np.float16(1)
        path.write_bytes(numbers.tobytes())
    problems = golden_problems(EdgeBundle.open(sealed(ranked_copy, ranked_shop)))
    assert problems
    assert all("ranker" in problem for problem in problems)


def test_a_ranker_that_fails_leaves_the_order_of_the_model(ranked_shop, monkeypatch):
    recommender = opened(ranked_shop.folder)

    def failing(*arguments):
        raise EdgeError("the ranker cannot be run (no memory)", code="model_failed")

    monkeypatch.setattr(RankerModel, "__call__", failing)
    answer = recommender.recommend("ann", 5, explain=True, now=NOW)
    assert answer["fallback"].startswith("ranker_failed: the ranker cannot be run (no memory)")
    assert answer["trace"]["scorer"] == "edge_model"
    assert answer["num_recommendations"] == 5
    assert any("no memory" in problem for problem in recommender.problems())
