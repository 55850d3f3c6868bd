import sqlite3

import pytest

from savor.online.stores.options import StoreOptions
from tests.api.live_shop import made_database, prepared, server

PATH = "/customers/household-3/recommendations"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_database(tmp_path_factory.mktemp("made"))


@pytest.fixture
def project(made, tmp_path):
    return prepared(made, tmp_path)


@pytest.fixture
def shop(registry_directory, project):
    with server(registry_directory, project) as client:
        yield client


def ids(answer):
    return [item["item_id"] for item in answer["recommendations"]]


def remove(client, *items):
    return client.request("DELETE", PATH, json={"product_list": list(items)})


def test_made_kept_and_shown(shop):
    none = shop.get(PATH)
    assert (none.status_code, none.json()["code"]) == (404, "list_unknown")
    made = shop.post(PATH, json={"num_recommendations": 5})
    assert made.status_code == 200, made.text
    made = made.json()
    assert made["kept"]
    assert made["num_recommendations"] == 5
    assert made["customer_id"] == "household-3"
    asked = shop.post("/recommendations", json={"user_id": "household-3", "num_recommendations": 5}).json()
    assert [(one["item_id"], one["score"], one["reason"]) for one in made["recommendations"]] == [
        (one["item_id"], one["score"], one["reason"]) for one in asked["recommendations"]
    ]
    assert shop.get(PATH).json() == made
    assert len(ids(shop.post(PATH).json())) == 10


def test_given_items_are_scored_sorted_and_kept(shop):
    shop.post(PATH)
    given = ["1009", 1003, "1001", "nothing", "1009"]
    answer = shop.put(PATH, json={"product_list": given})
    assert answer.status_code == 200, answer.text
    answer = answer.json()
    assert sorted(ids(answer), key=str) == ["1001", 1003, "1009"]
    assert "unknown_items" in answer["fallback"]
    scores = [one["score"] for one in answer["recommendations"]]
    assert scores == sorted(scores, reverse=True)
    ranked = shop.post("/rank", json={"user_id": "household-3", "item_ids": given[:4]}).json()["items"]
    assert ids(answer) == [one["item_id"] for one in ranked if one["score"] is not None]
    assert shop.get(PATH).json() == answer


def test_items_are_removed_from_the_list(shop):
    made = ids(shop.post(PATH).json())
    left = remove(shop, made[0], made[4], "not there")
    assert left.status_code == 200, left.text
    assert ids(left.json()) == [item for item in made if item not in (made[0], made[4])]
    assert ids(shop.get(PATH).json()) == ids(left.json())
    assert remove(shop, *made).json()["recommendations"] == []
    assert shop.delete(PATH).json() == {"customer_id": "household-3", "deleted": True}
    assert shop.delete(PATH).json()["deleted"] is False
    assert shop.get(PATH).status_code == 404
    assert remove(shop, "1001").status_code == 404


def test_lists_of_customers_are_their_own(shop):
    first = shop.post(PATH).json()
    shop.post("/customers/somebody/recommendations")
    shop.put("/customers/a%20b/recommendations", json={"product_list": ["1001"]})
    assert shop.get(PATH).json() == first
    assert ids(shop.get("/customers/a%20b/recommendations").json()) == ["1001"]


def test_kept_over_a_restart(registry_directory, project):
    with server(registry_directory, project) as client:
        made = client.post(PATH).json()
    with server(registry_directory, project) as client:
        assert client.get(PATH).json() == made


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("POST", {"num_recommendations": 0}),
        ("POST", {"num": 3}),
        ("POST", {"filter": {"nothing": {"eq": 1}}}),
        ("POST", {"scenario": "nowhere"}),
        ("POST", {"context": {"search": "x" * 2000}}),
        ("POST", {"context": {"search": 5}}),
        ("POST", []),
        ("PUT", None),
        ("PUT", {}),
        ("PUT", {"product_list": []}),
        ("PUT", {"product_list": ["1"] * 1001}),
        ("PUT", {"product_list": [{}]}),
        ("DELETE", {"product_list": "1001"}),
    ],
)
def test_wrong_requests_change_nothing(shop, method, body):
    made = shop.post(PATH).json()
    answer = shop.request(method, PATH, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert shop.get(PATH).json() == made


@pytest.mark.parametrize("customer", ["a%00b", "a%0Ab", "a%F3%A3%A6%B6", "x" * 257])
def test_hostile_ids_are_refused(shop, customer):
    path = f"/customers/{customer}/recommendations"
    for answer in (shop.post(path), shop.get(path), shop.put(path, json={"product_list": ["1001"]}), shop.delete(path)):
        assert answer.status_code in (404, 422), answer.text
        assert answer.json()["code"] in ("validation_failed", "not_found")


def test_while_the_store_is_away(registry_directory, project):
    options = StoreOptions(patience=0.2)
    with server(registry_directory, project, options=options) as client:
        first = client.post(PATH).json()
        holder = sqlite3.connect(project / ".savor" / "live.db", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        second = client.post(PATH, json={"num_recommendations": 3}).json()
        assert not second["kept"]
        assert "list_not_kept" in second["fallback"]
        assert len(ids(second)) == 3
        holder.execute("ROLLBACK")
        holder.close()
        assert client.get(PATH).json() == first
