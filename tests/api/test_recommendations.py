import pytest

USER = "household-3"


def post(client, path, **body):
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_recommendations_as_documented(client):
    answer = post(client, "/recommendations", user_id=USER)
    assert answer.keys() == {
        "user_id",
        "recommendations",
        "num_recommendations",
        "next_cursor",
        "recommendation_id",
        "bundle",
        "variant",
        "fallback",
    }
    assert answer["user_id"] == USER
    assert answer["num_recommendations"] == len(answer["recommendations"]) == 10
    assert answer["fallback"] is None
    scores = [item["score"] for item in answer["recommendations"]]
    assert scores == sorted(scores, reverse=True)
    first = answer["recommendations"][0]
    assert first.keys() == {"item_id", "score", "name", "category", "price", "reason"}
    assert first["reason"]["text"]
    again = post(client, "/recommendations", user_id=USER)
    assert again["recommendation_id"] != answer["recommendation_id"]
    assert again["recommendations"] == answer["recommendations"]


@pytest.mark.parametrize("user", ["nobody", 12345, "ünïcode 日本", "x" * 256, -1, 2**63 - 1, "'; DROP TABLE users; --"])
def test_ids_come_back_as_they_came(client, user):
    answer = post(client, "/recommendations", user_id=user)
    assert answer["user_id"] == user
    assert type(answer["user_id"]) is type(user)
    assert answer["num_recommendations"] == 10
    assert answer["fallback"].startswith("unknown_user: ")


def test_new_only(client):
    seen = {
        item["item_id"]
        for visit in client.get(f"/users/{USER}/history?visits=1000").json()["visits"]
        for item in visit["items"]
    }
    assert seen
    for body in ({"exclude_seen": True}, {"scenario": "discover"}):
        answer = post(client, "/recommendations", user_id=USER, **body)
        assert answer["num_recommendations"] == 10
        assert not seen & {item["item_id"] for item in answer["recommendations"]}
    assert seen & {item["item_id"] for item in post(client, "/recommendations", user_id=USER)["recommendations"]}


def test_exclusions_and_filter(client):
    first = post(client, "/recommendations", user_id=USER)["recommendations"][0]["item_id"]
    answer = post(client, "/recommendations", user_id=USER, exclude_items=[int(first), "not there"])
    assert first not in {item["item_id"] for item in answer["recommendations"]}
    condition = {"category": {"in": ["dairy"]}, "price": {"lte": 5}}
    answer = post(client, "/recommendations", user_id=USER, filter=condition, num_recommendations=50)
    assert answer["recommendations"]
    assert all(item["category"].startswith("dairy") and item["price"] <= 5 for item in answer["recommendations"])
    assert "catalogue_exhausted" in answer["fallback"]


def test_explanation_is_the_true_trace(client):
    answer = post(client, "/recommendations", user_id=USER, explain=True, num_recommendations=20)
    trace = answer["trace"]
    names = [stage["name"] for stage in trace["stages"]]
    assert names[:4] == ["user", "own_items", "context_items", "eligibility"]
    assert names[-1] == "reasons"
    assert all(stage["milliseconds"] >= 0 for stage in trace["stages"])
    assert trace["scorer"] == "ranker"
    assert trace["failures"] == []
    for item in answer["recommendations"]:
        explanation = item["explanation"]
        assert explanation["score"] == item["score"]
        assert explanation["sources"]
        for name, source in explanation["sources"].items():
            assert 1 <= source["rank"] <= trace["retrieved"][name]
        assert 1 <= len(explanation["features"]) <= 5
        sizes = [abs(feature["contribution"]) for feature in explanation["features"]]
        assert sizes == sorted(sizes, reverse=True)
    repeats = [item for item in answer["recommendations"] if item["reason"]["code"] == "repeat_rhythm"]
    assert repeats
    visits = client.get(f"/users/{USER}/history?visits=1000").json()["visits"]
    for item in repeats:
        assert sum(item["item_id"] in {one["item_id"] for one in visit["items"]} for visit in visits) >= 3


def test_similar_items(client):
    answer = post(client, "/similar_items", item_id=1003, num_similar=5)
    assert answer["item_id"] == 1003
    assert answer["num_similar"] == len(answer["similar_items"]) == 5
    assert "1003" not in {item["item_id"] for item in answer["similar_items"]}
    scores = [item["score"] for item in answer["similar_items"]]
    assert scores == sorted(scores, reverse=True)
    assert answer["fallback"] is None
    fruit = post(client, "/similar_items", item_id="1003", num_similar=5, filter={"department": {"eq": "fruit"}})
    assert {item["category"].split()[0] for item in fruit["similar_items"]} == {"fruit"}
    unknown = post(client, "/similar_items", item_id="nothing")
    assert unknown["num_similar"] == 10
    assert unknown["fallback"].startswith("unknown_item: ")


def test_rank(client):
    answer = post(client, "/rank", user_id=USER, item_ids=["1004", 1003, "zzz", 1003, "1007"])
    assert [item["item_id"] for item in answer["items"]][-1] == "zzz"
    assert {item["item_id"] for item in answer["items"]} == {"1004", 1003, "zzz", "1007"}
    assert len(answer["items"]) == 4
    scores = [item["score"] for item in answer["items"][:-1]]
    assert scores == sorted(scores, reverse=True)
    assert answer["items"][-1]["score"] is None
    assert answer["fallback"].startswith("unknown_items: 1 ")


def test_status(client, registry_directory):
    assert client.get("/health").json() == {"status": "ok"}
    bundle = post(client, "/recommendations", user_id=USER)["bundle"]
    assert client.get("/ready").json() == {"status": "ready", "bundle": bundle, "problem": None}
    listed = client.get("/bundles").json()
    assert listed["current"] == bundle
    assert (bundle, ["live"]) in [(one["id"], one["channels"]) for one in listed["bundles"]]


def test_metrics_count(client):
    post(client, "/recommendations", user_id="nobody")
    text = client.get("/metrics").text
    for line in (
        'savor_requests_total{route="/recommendations",status="200"}',
        'savor_stage_seconds_count{stage="ranker"}',
        'savor_fallbacks_total{code="unknown_user"}',
        "savor_bundle_info{bundle=",
    ):
        assert line in text
    response = client.get("/health")
    assert response.headers["server-timing"].startswith("total;dur=")


def test_users(client):
    users = client.get("/users", params={"limit": 3}).json()
    assert len(users["users"]) == 3
    assert users["total"] == 20
    found = client.get("/users", params={"search": "HOUSEHOLD-1"}).json()
    assert found["users"][0]["user_id"] == "household-1"


def test_history(client):
    known = client.get(f"/users/{USER}/history", params={"visits": 2}).json()
    assert known["known"] is True
    assert len(known["visits"]) == 2
    assert known["visits"][0]["time"] > known["visits"][1]["time"]
    assert known["profile"] == {"age": "20-30"}
    nobody = client.get("/users/no%2Fbody/history").json()
    assert (nobody["user_id"], nobody["known"], nobody["visits"]) == ("no/body", False, [])
