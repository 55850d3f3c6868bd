import json
import time

import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.engines import Engines
from savor.api.live import Live
from savor.api.options import ServingOptions
from savor.api.serve import load_engine
from savor.bundle.registry import Registry
from savor.online.stores.options import StoreOptions
from tests.api.live_shop import made_database, prepared, server
from tests.api.served_bundles import another_bundle, loader

USER = "household-3"
NEW = {"name": "Plum jam", "department": "tools", "labels": ["organic"], "grams": 250, "price": 3.5}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_database(tmp_path_factory.mktemp("made"))


@pytest.fixture
def project(made, tmp_path):
    return prepared(made, tmp_path)


@pytest.fixture
def shop(registry_directory, project):
    with server(registry_directory, project) as client, client:
        yield client


def asked(client, **more):
    answer = client.post("/recommendations", json={"user_id": USER, "num_recommendations": 59, **more})
    assert answer.status_code == 200, answer.text
    return [item["item_id"] for item in answer.json()["recommendations"]]


def wanted(client, **condition):
    return asked(client, filter=condition)


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_new_item_is_in_the_very_next_answer(shop):
    said = shop.put("/items/new", json=NEW)
    assert said.status_code == 200, said.text
    answer = said.json()
    assert answer["recommendable"]
    assert not answer["in_bundle"]
    assert answer["attributes"] == {**NEW, "in_stock": True, "aisle": None}
    assert wanted(shop, department={"eq": "tools"}) == ["new"]
    assert shop.get("/items/new").json() == answer
    similar = shop.post("/similar_items", json={"item_id": "new"}).json()
    assert similar["num_similar"] == 10
    assert similar["fallback"] is None
    ranked = shop.post("/rank", json={"user_id": USER, "item_ids": ["new", "1003"]}).json()
    assert all(item["score"] is not None for item in ranked["items"])


def test_what_is_not_said_stays_as_the_bundle_has_it(shop):
    before = shop.get("/items/1005").json()
    assert before["in_bundle"]
    assert before["changed"] is None
    after = shop.put("/items/1005", json={"price": 99.5}).json()
    assert after["attributes"] == {**before["attributes"], "price": 99.5}
    assert wanted(shop, price={"gte": 99}) == ["1005"]
    after = shop.put("/items/1005", json={"name": "Other"}).json()
    assert after["attributes"] == {**before["attributes"], "name": "Other"}
    assert wanted(shop, price={"gte": 99}) == []


def test_some_fields_can_be_changed_and_the_others_left(shop):
    shop.put("/items/new", json=NEW)
    assert shop.patch("/items/new", json={"in_stock": False}).json()["recommendable"] is False
    assert wanted(shop, department={"eq": "tools"}) == []
    answer = shop.patch("/items/new", json={"in_stock": True, "price": 1}).json()
    assert answer["attributes"]["name"] == "Plum jam"
    assert answer["attributes"]["price"] == 1
    assert wanted(shop, department={"eq": "tools"}) == ["new"]
    unknown = shop.patch("/items/nobody", json={"price": 1})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "item_unknown")


def test_what_is_out_of_stock_or_removed_leaves_answers_at_once(shop):
    first, second, *_ = asked(shop)
    assert shop.patch(f"/items/{first}", json={"in_stock": False}).status_code == 200
    assert first not in asked(shop)
    assert shop.delete(f"/items/{second}").json() == {"item_id": second, "removed": True}
    assert second not in asked(shop)
    assert shop.delete(f"/items/{second}").json()["removed"] is False
    assert shop.get(f"/items/{second}").json()["code"] == "item_unknown"
    assert shop.patch(f"/items/{second}", json={}).status_code == 404
    ranked = shop.post("/rank", json={"user_id": USER, "item_ids": [second]}).json()
    assert "unknown_items" in ranked["fallback"]
    assert shop.put(f"/items/{second}", json={}).json()["recommendable"]
    assert {first, second} - set(asked(shop)) == {first}
    assert shop.delete("/items/never").json() == {"item_id": "never", "removed": False}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"price": -1}, "price"),
        ({"price": "3"}, "price"),
        ({"in_stock": 1}, "in_stock"),
        ({"labels": "organic"}, "labels"),
        ({"labels": [1]}, "labels"),
        ({"grams": "heavy"}, "grams"),
        ({"grams": {"a": 1}}, "grams"),
        ({"department": 3}, "department"),
        ({"name": "x" * 1001}, "name"),
        ({"text": "x" * 10_001}, "text"),
        ({f"column {number}": 1 for number in range(300)}, "body"),
        ({"bad\x07name": 1}, "body"),
        ({"created": -5}, "created"),
    ],
)
def test_what_cannot_be_said_is_named_and_changes_nothing(shop, body, field):
    answer = shop.put("/items/1004", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert any(error["field"].startswith(field) for error in answer.json()["errors"])
    assert shop.get("/items/1004").json()["changed"] is None


@pytest.mark.parametrize(
    "body", ['{"price": NaN}', '{"price": 1e999}', '{"name": "\\ud800"}', "[]", "3", "{", '{"\\ud800": 1}']
)
def test_hostile_bodies_are_refused(shop, body):
    answer = shop.put("/items/1004", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text


def test_ids_with_any_signs_come_back_as_they_came(shop):
    for identifier in ("a/b c", "ä€", "x" * 256, "1; DROP TABLE"):
        path = "/items/" + "".join(f"%{byte:02x}" for byte in identifier.encode())
        assert shop.put(path, json=NEW).json()["item_id"] == identifier
        assert identifier in wanted(shop, department={"eq": "tools"})
    assert shop.put("/items/" + "x" * 257, json=NEW).status_code == 422
    assert shop.put("/items/a%00b", json=NEW).status_code == 422


def test_items_are_there_after_a_restart(shop, registry_directory, project):
    shop.put("/items/new", json=NEW)
    shop.delete("/items/1003")
    shop.patch("/items/1004", json={"price": 42})
    with server(registry_directory, project) as again:
        assert wanted(again, department={"eq": "tools"}) == ["new"]
        assert "1003" not in asked(again)
        assert wanted(again, price={"eq": 42}) == ["1004"]


def test_other_servers_follow(shop, registry_directory, project):
    with server(registry_directory, project) as other, other:
        shop.put("/items/new", json=NEW)
        shop.delete("/items/1003")
        until(lambda: "new" in asked(other))
        assert "1003" not in asked(other)
        assert other.get("/items/new").json()["recommendable"]


def test_items_come_along_when_the_bundle_is_changed_and_changed_back(registry_directory, project, tmp_path_factory):
    second = another_bundle(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("second"), 19)
    live = Live.open(StoreOptions(), project)
    engine = load_engine(registry_directory, over_states=live.over)
    registry = Registry(registry_directory)
    registry.publish(second.directory, channel="staging")
    options = ServingOptions(follow_seconds=0.05)
    engines = Engines(engine, loader(registry), options, entities=live.stores.entities)
    first = engine.bundle_id
    with TestClient(create_app(live=live, engines=engines)) as client:
        client.put("/items/new", json=NEW)
        client.delete("/items/1003")
        assert client.post(f"/bundles/{second.id}/activate").status_code == 200
        assert wanted(client, department={"eq": "tools"}) == ["new"]
        assert "1003" not in asked(client)
        client.put("/items/newer", json=NEW)
        assert client.post("/bundles/rollback").json()["bundle"] == first
        assert set(wanted(client, department={"eq": "tools"})) == {"new", "newer"}
        assert "1003" not in asked(client)


def test_an_index_is_built_with_new_items_while_answers_go_on(registry_directory, project):
    live = Live.open(StoreOptions(), project)
    engine = load_engine(registry_directory, over_states=live.over)
    engines = Engines(engine, None, ServingOptions(fold_items=3), entities=live.stores.entities)
    with TestClient(create_app(live=live, engines=engines)) as client:
        for number in range(3):
            client.put(f"/items/n{number}", json=NEW)
        until(lambda: len(engines.engine.serving.tables.index or ()) == 63)
        assert engines.engine.serving.tables.fresh.tolist() == []
        assert len(wanted(client, department={"eq": "tools"})) == 3
        client.put("/items/later", json=NEW)
        assert len(wanted(client, department={"eq": "tools"})) == 4


def test_without_the_store_nothing_is_said_and_answers_go_on(shop, monkeypatch):
    def away(*arguments, **named):
        from savor.online.stores.errors import StoreAwayError

        raise StoreAwayError("the database is away")

    entities = shop.app.state.live.stores.entities
    for method in ("put", "get", "merge", "read_after"):
        monkeypatch.setattr(entities, method, away)
    for call in (
        lambda: shop.put("/items/new", json=NEW),
        lambda: shop.patch("/items/1003", json={"price": 1}),
        lambda: shop.get("/items/1003"),
        lambda: shop.delete("/items/1003"),
    ):
        answer = call()
        assert (answer.status_code, answer.json()["code"]) == (503, "store_away")
    assert "1003" in asked(shop)
    until(lambda: shop.get("/ready").json()["problem"])
    assert "away" in shop.get("/ready").json()["problem"]


def test_a_purchase_of_a_new_item_counts(shop):
    shop.put("/items/new", json=NEW)
    event = {"user_id": USER, "kind": "purchase", "item_id": "new", "value": 1}
    assert shop.post("/events", json=event).status_code in (200, 202)
    answer = shop.post(
        "/recommendations", json={"user_id": USER, "filter": {"department": {"eq": "tools"}}, "num_recommendations": 1}
    ).json()
    assert answer["recommendations"][0]["reason"]["code"] == "bought_before"
    assert "error" not in json.dumps(answer["fallback"])


def test_without_live_state_items_cannot_be_said(client):
    answer = client.put("/items/new", json=NEW)
    assert (answer.status_code, answer.json()["code"]) == (503, "live_state_off")
