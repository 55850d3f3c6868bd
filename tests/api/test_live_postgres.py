"""A database on another machine that stops answering in the middle."""

import time
from contextlib import closing

import pytest

from savor.online.stores.options import StoreOptions
from tests.api.live_shop import server
from tests.api.test_events import asked, purchase, reasons, send
from tests.online.stores.servers import PostgresServer

TODAY = "you bought this once, last today"
pytestmark = pytest.mark.xdist_group("servers")


@pytest.fixture
def postgres():
    with closing(PostgresServer(durable=False)) as database:
        database.start()
        yield database


def test_frozen_and_thawed(registry_directory, tmp_path, postgres):
    options = StoreOptions(database=postgres.url(), patience=0.3)
    with server(registry_directory, tmp_path, options=options) as client:
        items = [one["item_id"] for one in asked(client, exclude_seen=True)["recommendations"]]
        assert send(client, purchase(items[0]))["stored_in"] == "database"
        postgres.freeze()
        assert send(client, purchase(items[1]))["stored_in"] == "journal"
        answer = asked(client)
        assert len(answer["recommendations"]) == 20
        assert reasons(client)[items[1]] == TODAY
        assert "journal" in client.get("/ready").json()["problem"]
        postgres.thaw()
        for _ in range(200):
            if client.get("/ready").json()["problem"] is None:
                break
            time.sleep(0.1)
        assert asked(client)["fallback"] is None
        assert {reasons(client)[item] for item in items[:2]} == {TODAY}
    with server(registry_directory, tmp_path, options=options) as client:
        assert {reasons(client)[item] for item in items[:2]} == {TODAY}
