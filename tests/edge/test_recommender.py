import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from savor.api.requests import RecommendationRequest
from savor.api.responses import RankResponse, RecommendationResponse
from savor_edge import EdgeError, EdgeRecommender
from savor_edge.person_store import PersonStore
from tests.synthetic_bundle import DAY, NOW


def ids(answer):
    return [item["item_id"] for item in answer["recommendations"]]


def codes(answer):
    return [item["reason"]["code"] for item in answer["recommendations"]]


def test_an_answer_has_the_shape_of_the_servers(recommender):
    answer = recommender.recommend(7, 5, explain=True)
    response = RecommendationResponse.model_validate(answer)
    assert response.user_id == 7
    assert len(response.recommendations) == response.num_recommendations == 5
    assert len(response.recommendation_id) == 32
    assert response.trace is not None
    assert {stage.name for stage in response.trace.stages} == {"user", "eligibility", "features", "model", "list"}
    scores = [item["score"] for item in answer["recommendations"]]
    assert scores == sorted(scores, reverse=True)
    assert answer["edge_bundle"] == recommender.bundle.id
    assert "explanation" not in recommender.recommend(7)["recommendations"][0]


def test_a_request_of_the_server_is_one_of_the_device(recommender, edge_shop):
    body = {
        "user_id": "someone",
        "num_recommendations": 4,
        "scenario": "home",
        "context": {"basket": ["1001"], "page": "start"},
        "filter": {"department": {"in": ["dairy", "fruit"]}, "price": {"gte": 0}},
        "exclude_items": [1005],
        "exclude_seen": True,
        "explain": False,
        "diversity": True,
    }
    RecommendationRequest.model_validate(body)
    answer = recommender.recommend(**body)
    rows = [edge_shop.catalogue.index[name] for name in ids(answer)]
    assert len(rows) == 4
    assert {edge_shop.catalogue.categories["department"].of(row) for row in rows} <= {"dairy", "fruit"}
    assert not {"1001", "1005"} & set(ids(answer))


def test_without_a_user_it_is_the_owner_of_the_device(recommender):
    owner = recommender.recommend()["user_id"]
    assert owner == recommender.store.visitor
    recommender.record({"kind": "purchase", "item_id": "1001"})
    assert recommender.recommend(owner)["fallback"] is None
    assert "unknown_user" in recommender.recommend("else")["fallback"]


def test_what_happens_changes_the_very_next_answer(recommender):
    before = recommender.recommend("me")
    assert before["fallback"].startswith("unknown_user: ")
    assert set(codes(before)) == {"newcomer"}
    assert recommender.record({"user_id": "me", "kind": "view", "item_id": "1030"}) == {
        "accepted": 1,
        "duplicates": 0,
        "unknown_items": 0,
    }
    after = recommender.recommend("me")
    assert after["fallback"] is None
    assert [item["score"] for item in after["recommendations"]] != [item["score"] for item in before["recommendations"]]
    assert set(codes(after)) == {"similar_taste"}
    assert recommender.recommend("other")["recommendations"] == before["recommendations"]


def test_answers_are_those_of_the_golden_way(recommender, edge_shop):
    """The whole call, against the server's features and the model."""
    events = [("1003", NOW - 5 * DAY), ("1010", NOW - 3 * DAY), ("1003", NOW - 600), ("1042", NOW - 60)]
    for item, time in events:
        recommender.record({"user_id": "me", "kind": "purchase", "item_id": item, "time": time, "basket_id": "b"})
    told = [{"kind": "purchase", "item_id": item, "time": time, "basket_id": "b"} for item, time in events]
    inputs = recommender.bundle.features.inputs(told, {}, NOW)
    mask = np.where(edge_shop.catalogue.in_stock, np.float32(0), np.float32(-1e9))
    found = recommender.bundle.model(inputs, mask)
    answer = recommender.recommend("me", 20)
    assert ids(answer) == [edge_shop.catalogue.ids[row] for row in found.items.tolist()]
    assert [item["score"] for item in answer["recommendations"]] == found.scores.tolist()


def test_reasons_know_the_persons_own_items(recommender):
    for days in (21, 14, 7):
        recommender.record({"user_id": "me", "kind": "purchase", "item_id": "1001", "time": NOW - days * DAY})
    recommender.record({"user_id": "me", "kind": "purchase", "item_id": "1002", "time": NOW - DAY})
    recommender.record({"user_id": "me", "kind": "view", "item_id": "1003", "time": NOW - DAY})
    reasons = {item["item_id"]: item["reason"] for item in recommender.recommend("me", 60)["recommendations"]}
    assert reasons["1001"] == {"code": "repeat_rhythm", "text": "you buy this about every 7 days"}
    assert reasons["1002"] == {"code": "bought_before", "text": "you bought this once, last yesterday"}
    assert reasons["1003"]["code"] == "similar_taste"


def test_what_was_seen_can_be_left_out(recommender):
    for name, kind in (("1001", "purchase"), ("1002", "purchase"), ("1003", "view")):
        recommender.record({"user_id": "me", "kind": kind, "item_id": name})
    everything = set(ids(recommender.recommend("me", 60)))
    assert everything - set(ids(recommender.recommend("me", 60, exclude_seen=True))) == {"1001", "1002"}
    assert everything - set(ids(recommender.recommend("me", 60, scenario="discover"))) == {"1001", "1002"}
    assert everything - set(ids(recommender.recommend("me", 60, exclude_items=["1001", 1009]))) == {"1001", "1009"}
    moment = recommender.recommend("me", 60, context={"basket": [1001], "item_id": 1004})
    assert everything - set(ids(moment)) == {"1001", "1004"}
    assert "1007" not in everything  # out of stock


def test_lists_longer_than_the_model_gives_at_once(recommender):
    answer = recommender.recommend("me", 60)
    assert len(set(ids(answer))) == 59
    scores = [item["score"] for item in answer["recommendations"]]
    assert scores == sorted(scores, reverse=True)
    assert ids(answer)[:20] == ids(recommender.recommend("me", 20))
    assert "catalogue_exhausted: only 59 items" in answer["fallback"]


def test_nothing_that_may_be_shown(recommender):
    answer = recommender.recommend("me", filter={"price": {"gt": 1e6}})
    assert answer["recommendations"] == []
    assert "no_eligible_items" in answer["fallback"]


def test_caps_hold_while_others_are_left(edge_copy, edge_shop):
    from tests.edge.made_bundle import seal

    path = edge_copy / "catalogue.json"
    document = json.loads(path.read_bytes())
    document["caps"] = [{"array": "category/0", "most": 2}]
    path.write_text(json.dumps(document))
    seal(edge_copy, edge_shop.server.id, 60)
    recommender = EdgeRecommender.open(edge_copy)
    departments = [item["category"].split()[0] for item in recommender.recommend("me", 8)["recommendations"]]
    assert sorted(departments) == sorted(["bakery", "dairy", "drinks", "fruit"] * 2)
    free = ids(recommender.recommend("me", 20, diversity=False))
    capped = ids(recommender.recommend("me", 20))
    assert sorted(capped) == sorted(free)
    assert capped != free


def test_a_model_that_fails_leaves_what_is_popular(recommender, monkeypatch, edge_shop):
    def failing(*arguments):
        raise EdgeError("the model cannot be run (no memory)", code="model_failed")

    monkeypatch.setattr("savor_edge.edge_model.EdgeModel.__call__", failing)
    answer = recommender.recommend("me", 3)
    assert "model_failed: the model cannot be run (no memory)" in answer["fallback"]
    assert "filled_from_popularity: 3 of the items" in answer["fallback"]
    recent = np.load(edge_shop.server.path("sources/trending.npy"))
    assert ids(answer)[0] == edge_shop.catalogue.ids[int(np.argmax(np.where(edge_shop.catalogue.in_stock, recent, -1)))]
    assert codes(answer) == ["popular"] * 3
    assert [item["score"] for item in answer["recommendations"]] == [None] * 3
    RecommendationResponse.model_validate(answer)
    assert len(ids(recommender.recommend("me", 60))) == 59


def test_a_profile_speaks_for_a_newcomer(recommender):
    plain = recommender.recommend("me")
    recommender.put_user({"age": "20-30"}, "me")
    said = recommender.recommend("me")
    assert said["fallback"].startswith("no_history: ")
    assert set(codes(said)) == {"profile"}
    assert [item["score"] for item in said["recommendations"]] != [item["score"] for item in plain["recommendations"]]
    recommender.put_user({"age": None}, "me")
    assert recommender.recommend("me")["recommendations"] == plain["recommendations"]
    with pytest.raises(EdgeError, match=r"\['shoe'\] are no columns of a profile; there are age"):
        recommender.put_user({"shoe": 42}, "me")
    with pytest.raises(EdgeError, match="takes a text"):
        recommender.put_user({"age": 4.5}, "me")


def test_everything_is_forgotten_on_request(recommender):
    recommender.record([{"user_id": "me", "kind": "purchase", "item_id": name} for name in ("1001", "1002")])
    recommender.put_user({"age": "20-30"}, "me")
    fresh = recommender.recommend("nobody")["recommendations"]
    assert recommender.recommend("me")["recommendations"] != fresh
    assert recommender.erase("me") == 2
    assert recommender.recommend("me")["recommendations"] == fresh


def test_histories_outlive_the_process(edge_shop, tmp_path):
    path = tmp_path / "people.sqlite"
    one = EdgeRecommender.open(edge_shop.folder, store=path, clock=lambda: NOW * 1000)
    owner = one.store.visitor
    one.record([{"kind": "purchase", "item_id": "1033"}, {"user_id": 12, "kind": "view", "item_id": 1034}])
    before = one.recommend()["recommendations"], one.recommend(12)["recommendations"]
    one.close()
    again = EdgeRecommender.open(edge_shop.folder, store=path, clock=lambda: NOW * 1000)
    assert again.store.visitor == owner
    assert (again.recommend()["recommendations"], again.recommend("12")["recommendations"]) == before


def test_what_another_process_records_counts_too(edge_shop, tmp_path):
    path = tmp_path / "people.sqlite"
    recommender = EdgeRecommender.open(edge_shop.folder, store=path, clock=lambda: NOW * 1000)
    before = recommender.recommend("me")["recommendations"]
    PersonStore(path).record({"user_id": "me", "kind": "purchase", "item_id": "1010", "time": NOW - 5})
    assert recommender.recommend("me")["recommendations"] != before


def test_what_another_process_erases_is_forgotten_here(edge_shop, tmp_path):
    path = tmp_path / "people.sqlite"
    recommender = EdgeRecommender.open(edge_shop.folder, store=path, clock=lambda: NOW * 1000)
    event = {"user_id": "me", "kind": "purchase", "item_id": "1010", "time": NOW - 5}
    recommender.record([event, {**event, "item_id": "1020"}])
    recommender.recommend("me")
    other = PersonStore(path)
    other.erase("me")
    assert recommender.recommend("me")["fallback"].startswith("unknown_user")
    recommender.record([event, event])
    recommender.recommend("me")
    other.erase("me")
    other.record({**event, "item_id": "1033"})
    only = EdgeRecommender.open(edge_shop.folder, clock=lambda: NOW * 1000)
    only.record({**event, "item_id": "1033"})
    assert recommender.recommend("me")["recommendations"] == only.recommend("me")["recommendations"]


def test_items_that_the_bundle_does_not_know_are_kept_for_a_later_one(recommender):
    assert recommender.record({"user_id": "me", "kind": "purchase", "item_id": "future"})["unknown_items"] == 1
    assert recommender.recommend("me")["fallback"].startswith("unknown_user")
    assert len(list(recommender.store.events("me"))) == 1


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        ({"user_id": ""}, "request_invalid", "user_id must be a text"),
        ({"user_id": "a\nb"}, "request_invalid", "printable"),
        ({"user_id": True}, "request_invalid", "user_id"),
        ({"num_recommendations": 0}, "request_invalid", "from 1 to 1000"),
        ({"num_recommendations": 2.5}, "request_invalid", "from 1 to 1000"),
        ({"num_recommendations": True}, "request_invalid", "from 1 to 1000"),
        ({"exclude_items": "1001"}, "request_invalid", "exclude_items must be a list"),
        ({"exclude_items": [1] * 1001}, "request_invalid", "at most 1000"),
        ({"exclude_items": [1.5]}, "request_invalid", "each of exclude_items"),
        ({"exclude_seen": 1}, "request_invalid", "exclude_seen must be true or false"),
        ({"context": ["x"]}, "request_invalid", "context must be"),
        ({"context": {"basket": "1"}}, "request_invalid", "basket must be a list"),
        ({"context": {"others": ["1"]}}, "request_invalid", "nothing else in the context"),
        ({"filter": ["x"]}, "request_invalid", "filter must be"),
        ({"filter": {"colour": {"eq": "red"}}}, "filter_invalid", "not a field of the catalogue"),
        ({"scenario": "moon"}, "scenario_unknown", "home, discover"),
    ],
)
def test_what_cannot_be_answered_is_refused(recommender, request_, code, message):
    with pytest.raises(EdgeError, match=message) as caught:
        recommender.recommend(**{"user_id": "me", **request_})
    assert caught.value.code == code


def test_all_that_is_wrong_is_named_at_once(recommender):
    with pytest.raises(EdgeError, match=r"user_id.*num_recommendations.*exclude_items"):
        recommender.recommend("", -1, exclude_items=3)


def test_given_items_are_ranked(recommender):
    answer = recommender.rank([1001, "1002", "1003", "nowhere", 1001], "me")
    RankResponse.model_validate(answer)
    scores = {item["item_id"]: item["score"] for item in recommender.recommend("me", 60)["recommendations"]}
    assert {item["item_id"] for item in answer["items"]} == {1001, "1002", "1003", "nowhere"}
    for item in answer["items"][:3]:
        assert item["score"] == pytest.approx(scores[str(item["item_id"])], abs=1e-6)
    assert answer["items"][3] == {"item_id": "nowhere", "score": None, "name": None}
    assert "unknown_items: 1 of" in answer["fallback"]
    with pytest.raises(EdgeError, match="at most 1000"):
        recommender.rank(["1"] * 1001)


def test_many_threads_get_the_same_answers(recommender):
    people = [f"person {number}" for number in range(6)]
    for number, name in enumerate(people):
        recommender.record({"user_id": name, "kind": "purchase", "item_id": str(1000 + number)})
    expected = [recommender.recommend(name)["recommendations"] for name in people]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda name: recommender.recommend(name)["recommendations"], people * 10))
    assert found == expected * 10


def test_a_bundle_alone_keeps_nothing_on_the_disk(edge_copy):
    before = sorted(path.name for path in edge_copy.iterdir())
    recommender = EdgeRecommender.open(edge_copy)
    recommender.record({"kind": "view", "item_id": "1001"})
    assert sorted(path.name for path in edge_copy.iterdir()) == before
    assert recommender.refresh() is False
    assert recommender.problems() == []
