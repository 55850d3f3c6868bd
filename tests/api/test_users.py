import pytest

from tests.api.live_shop import made_database, prepared, server
from tests.api.test_events import asked, purchase, reasons, send

USER = "household-3"


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


def test_put_get_delete(shop):
    first = shop.get(f"/users/{USER}").json()
    assert first["in_bundle"]
    assert first["attributes"] == {"age": "20-30"}
    assert first["changed"] is None
    said = shop.put(f"/users/{USER}", json={"age": "50-60"})
    assert said.status_code == 200, said.text
    assert said.json()["attributes"] == {"age": "50-60"}
    assert shop.get(f"/users/{USER}").json() == said.json()
    assert shop.get(f"/users/{USER}/history").json()["profile"] == {"age": "50-60"}
    assert shop.put(f"/users/{USER}", json={"age": None}).json()["attributes"] == {"age": None}
    assert shop.put(f"/users/{USER}", json={}).json()["attributes"] == {"age": "20-30"}
    assert shop.delete(f"/users/{USER}").json() == {"user_id": USER, "removed": True}
    assert shop.delete(f"/users/{USER}").json() == {"user_id": USER, "removed": False}
    gone = shop.get(f"/users/{USER}")
    assert (gone.status_code, gone.json()["code"]) == (404, "user_unknown")
    assert "unknown_user" in asked(shop)["fallback"]


def test_somebody_new_with_a_profile_is_known(shop):
    assert shop.get("/users/new%20one").status_code == 404
    assert "unknown_user" in asked(shop, "new one")["fallback"]
    answer = shop.put("/users/new%20one", json={"age": "20-30"}).json()
    assert (answer["user_id"], answer["in_bundle"]) == ("new one", False)
    assert "no_history" in asked(shop, "new one")["fallback"]
    assert ["new one", 0] in [list(one.values()) for one in shop.get("/users?search=new").json()["users"]]


def test_what_a_removed_user_does_later_counts(shop):
    send(shop, purchase("1004", "eve"))
    shop.delete("/users/eve")
    assert "unknown_user" in asked(shop, "eve")["fallback"]


def test_of_whom_something_is_put_is_kept_over_a_restart(registry_directory, project):
    with server(registry_directory, project) as client:
        client.put("/users/eve", json={"age": "50-60"})
        client.delete(f"/users/{USER}")
    with server(registry_directory, project) as client:
        assert client.get("/users/eve").json()["attributes"] == {"age": "50-60"}
        assert client.get(f"/users/{USER}").status_code == 404


def test_another_process_knows_at_once(registry_directory, project):
    with server(registry_directory, project) as one, server(registry_directory, project) as other:
        one.put(f"/users/{USER}", json={"age": "50-60"})
        assert other.get(f"/users/{USER}").json()["attributes"] == {"age": "50-60"}


@pytest.mark.parametrize(
    "body", [{"height": 3}, {"age": ["a"]}, {"age": 1.5}, {"age": "x" * 1001}, {"age": {"a": 1}}, [], None, "x"]
)
def test_wrong_attributes_are_refused(shop, body):
    answer = shop.put(f"/users/{USER}", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "validation_failed"
    assert shop.get(f"/users/{USER}").json()["changed"] is None


@pytest.mark.parametrize("user", ["a%00b", "a%0Ab", "a%F3%A3%A6%B6", "x" * 257])
def test_hostile_ids_are_refused(shop, user):
    for call in (shop.put, shop.get, shop.delete):
        answer = call(f"/users/{user}", **({"json": {}} if call == shop.put else {}))
        assert answer.status_code in (404, 422), answer.text


def test_a_visitor_becomes_a_user(shop):
    visitor = shop.post("/visitors").json()["visitor_id"]
    assert visitor != shop.post("/visitors").json()["visitor_id"]
    item = asked(shop, exclude_seen=True)["recommendations"][0]["item_id"]
    send(shop, purchase(item, visitor))
    assert reasons(shop, visitor)[item] == "you bought this once, last today"
    assert item in [one["item_id"] for one in asked(shop, exclude_seen=True)["recommendations"]]
    merged = shop.post(f"/visitors/{visitor}/merge", json={"user_id": USER})
    assert merged.json() == {"visitor_id": visitor, "user_id": USER, "merged": True}
    assert shop.post(f"/visitors/{visitor}/merge", json={"user_id": USER}).json()["merged"] is False
    assert reasons(shop)[item] == "you bought this once, last today"
    assert asked(shop, visitor)["recommendations"] == asked(shop)["recommendations"]
    other = asked(shop, exclude_seen=True)["recommendations"][0]["item_id"]
    send(shop, purchase(other, visitor))
    assert reasons(shop)[other] == "you bought this once, last today"


def test_a_merge_in_another_process(registry_directory, project):
    with server(registry_directory, project) as one, server(registry_directory, project) as other:
        visitor = one.post("/visitors").json()["visitor_id"]
        item = asked(one, exclude_seen=True)["recommendations"][0]["item_id"]
        send(one, purchase(item, visitor))
        assert item not in [own for own, why in reasons(other).items() if why.endswith("today")]
        one.post(f"/visitors/{visitor}/merge", json={"user_id": USER})
        assert reasons(other)[item] == "you bought this once, last today"
        assert reasons(other, visitor)[item] == "you bought this once, last today"


def test_wrong_merges(shop):
    visitor = shop.post("/visitors").json()["visitor_id"]
    assert shop.post(f"/visitors/{USER}/merge", json={"user_id": "ann"}).status_code == 422
    to_visitor = shop.post(f"/visitors/{visitor}/merge", json={"user_id": "visitor-other"})
    assert (to_visitor.status_code, to_visitor.json()["code"]) == (422, "not_a_user")
    shop.post(f"/visitors/{visitor}/merge", json={"user_id": "ann"})
    twice = shop.post(f"/visitors/{visitor}/merge", json={"user_id": "bob"})
    assert (twice.status_code, twice.json()["code"]) == (409, "visitor_merged")
