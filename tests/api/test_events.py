import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from savor.online.stores.options import StoreOptions
from tests.api.live_shop import made_database, prepared, server

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


def asked(client, user=USER, **body):
    answer = client.post("/recommendations", json={"user_id": user, "num_recommendations": 20, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def reasons(client, user=USER, **body):
    return {item["item_id"]: item["reason"]["text"] for item in asked(client, user, **body)["recommendations"]}


def send(client, *events):
    answer = client.post("/events", json=list(events) if len(events) != 1 else events[0])
    assert answer.status_code == 200, answer.text
    return answer.json()


def purchase(item, user=USER, **others):
    return {"user_id": user, "item_id": item, "kind": "purchase", **others}


def stored(project):
    with sqlite3.connect(project / ".savor" / "live.db") as database:
        return database.execute("SELECT user_id, item_id, kind FROM events ORDER BY number").fetchall()


def test_the_very_next_recommendation_knows(shop, project):
    before = asked(shop, exclude_seen=True)
    item = before["recommendations"][0]["item_id"]
    answer = send(shop, purchase(item))
    assert answer == {"accepted": 1, "duplicates": 0, "erased": 0, "unknown_items": 0, "stored_in": "database"}
    assert stored(project) == [(USER, item, "purchase")]
    after = asked(shop, exclude_seen=True)
    assert item not in [one["item_id"] for one in after["recommendations"]]
    assert reasons(shop)[item] == "you bought this once, last today"
    assert after["fallback"] == before["fallback"]


def test_somebody_unknown_becomes_known(shop):
    assert "unknown_user" in asked(shop, "new one")["fallback"]
    send(shop, purchase("1004", "new one"), purchase("1004", "new one", time=int(datetime.now(UTC).timestamp()) - 5))
    answer = asked(shop, "new one")
    assert answer["fallback"] is None or "unknown_user" not in answer["fallback"]
    assert reasons(shop, "new one")["1004"].startswith("you bought this")
    history = shop.get("/users/new one/history").json()
    assert history["known"]
    assert history["events"] == 2


def fits(client):
    """How near each item is to the user's vector."""
    shown = asked(client, exclude_seen=True, explain=True)["recommendations"]
    return {item["item_id"]: item["explanation"]["sources"].get("ann", {}).get("score") for item in shown}


def test_looking_at_an_item_moves_the_user_and_is_no_purchase(shop):
    """The bundle was trained on purchases alone."""
    before = fits(shop)
    item = next(iter(before))
    send(shop, {"user_id": USER, "item_id": item, "kind": "view"})
    after = fits(shop)
    assert item in after, "what is only looked at is not had"
    assert all(after[name] != before[name] for name in before.keys() & after.keys() if before[name] is not None)
    assert "you bought" not in reasons(shop, exclude_seen=True)[item]
    send(shop, {"user_id": USER, "item_id": item, "kind": "impression"})
    assert fits(shop) == after


def test_repeated_events_change_nothing(shop, project):
    event = purchase("1004", event_id="one")
    assert send(shop, event, event)["duplicates"] == 1
    once = asked(shop)["recommendations"]
    assert send(shop, event) == {
        "accepted": 0, "duplicates": 1, "erased": 0, "unknown_items": 0, "stored_in": "database"
    }  # fmt: skip
    assert asked(shop)["recommendations"] == once
    assert len(stored(project)) == 1


def test_a_list_is_one(shop, project):
    answer = send(shop, *(purchase(str(1000 + number), event_id=str(number)) for number in range(300)))
    assert answer["accepted"] == 300
    assert answer["unknown_items"] == 240
    assert len(stored(project)) == 300


def test_many_at_once(shop, project):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: send(shop, purchase("1004", event_id=str(number % 20))), range(60)))
    assert sum(answer["accepted"] for answer in answers) == len(stored(project)) == 20


def test_kept_over_a_restart(registry_directory, project):
    with server(registry_directory, project) as client:
        item = asked(client, exclude_seen=True)["recommendations"][0]["item_id"]
        send(client, purchase(item))
    with server(registry_directory, project) as client:
        assert reasons(client)[item] == "you bought this once, last today"


def test_more_than_is_read_at_the_start(registry_directory, project, monkeypatch):
    monkeypatch.setattr("savor.api.live.MOST_EVENTS_AT_START", 3)
    with server(registry_directory, project) as client:
        item = asked(client, exclude_seen=True)["recommendations"][0]["item_id"]
        send(client, purchase(item))
        send(client, *(purchase("1001", "household-9", event_id=str(number)) for number in range(9)))
    with server(registry_directory, project) as client:
        assert reasons(client)[item] == "you bought this once, last today"


def test_few_users_in_memory(registry_directory, project):
    """Whom this process let go is read again."""
    options = StoreOptions(recent_users=2)
    with server(registry_directory, project, options=options) as client:
        item = asked(client, exclude_seen=True)["recommendations"][0]["item_id"]
        send(client, purchase(item))
        for number in range(5):
            send(client, purchase("1001", f"other {number}"))
        assert reasons(client)[item] == "you bought this once, last today"


def test_another_process_sees_it_at_once(registry_directory, project):
    with server(registry_directory, project) as one, server(registry_directory, project) as other:
        item = asked(other, exclude_seen=True)["recommendations"][0]["item_id"]
        send(one, purchase(item))
        assert reasons(other)[item] == "you bought this once, last today"
        item = asked(one, exclude_seen=True)["recommendations"][0]["item_id"]
        send(other, purchase(item))
        assert reasons(one)[item] == "you bought this once, last today"


@pytest.mark.parametrize("moment", ["2020-01-31T12:00:00Z", "2020-01-31 13:00:00+01:00", 1580472000, 1580472000000])
def test_moments(shop, project, moment):
    send(shop, purchase("1004", time=moment))
    with sqlite3.connect(project / ".savor" / "live.db") as database:
        assert database.execute("SELECT time FROM events").fetchall() == [(1580472000000000,)]


def test_a_clock_that_is_ahead(shop):
    ahead = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    send(shop, purchase("1004", "ahead", time=ahead))
    assert reasons(shop, "ahead")["1004"] == "you bought this once, last today"


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"user_id": USER, "item_id": "1"}, "kind"),
        ({"kind": "view", "item_id": "1"}, "user_id"),
        (purchase("1", kind="a b"), "kind"),
        (purchase("1", time="yesterday"), "time"),
        (purchase("1", time=-5), "time"),
        (purchase("1", value=float("1e999")), "value"),
        (purchase("1", propensity=0), "propensity"),
        (purchase("1", position=-1), "position"),
        (purchase("1", user="a\0b"), "user_id"),
        (purchase("1", user="a" * 257), "user_id"),
        (purchase("1", user=[1]), "user_id"),
        (purchase("1", other=1), "other"),
        (purchase("1", time=(datetime.now(UTC) + timedelta(days=9)).isoformat()), ""),
        ([], ""),
        ([purchase("1")] * 1001, ""),
        ([purchase("1"), {}], "1.user_id"),
        ("text", ""),
        (None, ""),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(shop, project, event, field):
    answer = shop.post("/events", content=json.dumps(event), headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] in {"validation_failed", "event_invalid", "json_invalid"}
    if field and answer.status_code == 422:
        assert any(field in one["field"] for one in problem["errors"])
    assert stored(project) == []


def test_searches_of_a_bundle_without_searches_change_nothing(shop):
    before = asked(shop)["recommendations"]
    assert send(shop, {"user_id": USER, "kind": "search", "search": "bread"})["accepted"] == 1
    assert asked(shop)["recommendations"] == before


def test_while_the_database_is_away(registry_directory, project):
    """Events are acknowledged from the journal, answers go on and say so, and nothing is lost."""
    options = StoreOptions(patience=0.3)
    database = project / ".savor" / "live.db"
    with server(registry_directory, project, options=options) as client:
        asked(client)
        item = asked(client, exclude_seen=True)["recommendations"][0]["item_id"]
        holder = sqlite3.connect(database, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        answer = send(client, purchase(item))
        assert answer["stored_in"] == "journal"
        assert reasons(client)[item] == "you bought this once, last today"
        assert "savor_store_backlog" in client.get("/metrics").text
        holder.execute("ROLLBACK")
        holder.close()
    with server(registry_directory, project, options=options) as client:
        for _ in range(100):
            if reasons(client).get(item) == "you bought this once, last today":
                break
            time.sleep(0.1)
        assert reasons(client)[item] == "you bought this once, last today"
        assert [row[:2] for row in stored(project)] == [(USER, item)]
        assert asked(client)["fallback"] is None


def test_database_that_is_no_database(registry_directory, project):
    """Recommendations go on, and say that what happened lately may be missing."""
    (project / ".savor" / "live.db").write_bytes(b"this is no database" * 1000)
    with server(registry_directory, project) as client:
        answer = asked(client)
        assert "live_state_partial" in answer["fallback"]
        assert len(answer["recommendations"]) == 20
        item = answer["recommendations"][0]["item_id"]
        assert send(client, purchase(item, "new one"))["stored_in"] == "journal"
        assert reasons(client, "new one")[item] == "you bought this once, last today"
        assert 'savor_store_up{store="database"} 0.0' in client.get("/metrics").text
