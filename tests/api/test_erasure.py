"""A person is erased from what runs and from what is kept."""

import json
import sqlite3

import pytest
import typer

from savor.cli.erase import erase
from tests.api.live_shop import made_database, prepared, server
from tests.api.test_events import asked, purchase, reasons, send

USER = "household-3"
TODAY = "you bought this once, last today"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_database(tmp_path_factory.mktemp("made"))


@pytest.fixture
def project(made, tmp_path):
    (tmp_path / "savor.toml").write_text("[stores]\n")
    return prepared(made, tmp_path)


def erased(project, capsys, user=USER):
    capsys.readouterr()
    erase(user, project, yes=True, as_json=True)
    return json.loads(capsys.readouterr().out)


def everything(project):
    """All text in the live database and its log."""
    return b"".join(path.read_bytes() for path in (project / ".savor").glob("live.db*"))


def test_a_running_server_forgets_at_once(registry_directory, project, capsys):
    with server(registry_directory, project) as client:
        visitor = client.post("/visitors").json()["visitor_id"]
        fresh = asked(client, exclude_seen=True)["recommendations"][0]["item_id"]
        send(client, purchase(fresh, visitor), purchase(fresh), {"user_id": USER, "kind": "search", "search": "bread"})
        client.post(f"/visitors/{visitor}/merge", json={"user_id": USER})
        client.put(f"/users/{USER}", json={"age": "50-60"})
        client.post(f"/customers/{USER}/recommendations")
        send(client, purchase("1001", "household-4"))
        others = asked(client, "household-4")["recommendations"]
        assert reasons(client)[fresh] == TODAY

        receipt = erased(project, capsys)

        assert receipt["removed"] | {"exposures": 0, "outcomes": 0} == {
            "events": 3, "kept_lists": 1, "entities": 1, "visitors": 1, "exposures": 0, "outcomes": 0,
            "conversations": 0, "assistant_usage": 0,
        }  # fmt: skip
        assert receipt["redis_told"]
        for name in (USER, visitor):
            answer = asked(client, name)
            assert "unknown_user" in answer["fallback"], "the bundle's history counts no more either"
            assert not any(why["reason"]["text"].startswith("you ") for why in answer["recommendations"])
            assert client.get(f"/users/{name}").status_code == 404
        assert USER not in client.get(f"/users?search={USER}").text
        history = client.get(f"/users/{USER}/history").json()
        assert (history["known"], history["events"], history["profile"]) == (False, 0, {})
        assert client.get(f"/customers/{USER}/recommendations").status_code == 404
        assert asked(client, "household-4")["recommendations"] == others
        later = asked(client)["recommendations"][0]["item_id"]
        assert send(client, purchase(later))["erased"] == 0
        assert reasons(client)[later] == TODAY, "who comes back is somebody new"
        assert send(client, purchase("1002", time="2020-01-01T00:00:00Z"))["erased"] == 1
        assert len(client.get(f"/users/{USER}/history").json()["visits"]) == 1


def test_nothing_is_left_in_the_file(registry_directory, project, capsys):
    with server(registry_directory, project) as client:
        send(client, purchase("1001", "unmistakable person"))
        client.post("/customers/unmistakable person/recommendations")
        assert b"unmistakable" in everything(project)
    erased(project, capsys, "unmistakable person")
    assert b"unmistakable" not in everything(project)


def test_a_server_that_starts_later_knows(registry_directory, project, capsys):
    receipt = erased(project, capsys)
    assert sum(receipt["removed"].values()) == 0
    with server(registry_directory, project) as client:
        assert "unknown_user" in asked(client)["fallback"]


def test_asks_before(registry_directory, project, monkeypatch):
    with server(registry_directory, project) as client:
        send(client, purchase("1001"))
    monkeypatch.setattr("typer.confirm", lambda *_, **__: (_ for _ in ()).throw(typer.Abort))
    with pytest.raises(typer.Abort):
        erase(USER, project)
    with sqlite3.connect(project / ".savor" / "live.db") as database:
        assert database.execute("SELECT count(*) FROM events").fetchone() == (1,)
