"""Several servers on several machines: they share a database and a Redis, and no file."""

from contextlib import closing, contextmanager

import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.live import Live
from savor.api.security import Access
from savor.api.security_options import SecurityOptions
from savor.api.serve import load_engine
from savor.online.live_feed import LiveFeed
from savor.online.stores.options import StoreOptions
from savor.online.stores.stores import open_stores
from tests.api.live_shop import made_database, prepared
from tests.api.test_events import asked, purchase, reasons, send
from tests.online.stores.servers import RedisServer

USER = "household-3"
TODAY = "you bought this once, last today"
pytestmark = pytest.mark.xdist_group("servers")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_database(tmp_path_factory.mktemp("made"))


@pytest.fixture
def project(made, tmp_path):
    return prepared(made, tmp_path)


@pytest.fixture
def redis():
    with closing(RedisServer()) as server:
        server.start()
        yield server


@contextmanager
def machine(registry_directory, project, redis, access=None):
    """A server that looks at the database once, at its start, and is told of nothing by files."""
    stores = open_stores(StoreOptions(redis=redis.url), project)
    feed = LiveFeed(stores, seconds=1000, patience=5)
    feed.start()
    live = Live(stores, feed)
    try:
        engine = load_engine(registry_directory, over_states=live.over)
        app = create_app(engine, live=live, access=access)
        yield TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1), raise_server_exceptions=False)
    finally:
        live.close()


def test_the_next_recommendation_of_any_machine_knows(registry_directory, project, redis):
    with machine(registry_directory, project, redis) as one, machine(registry_directory, project, redis) as other:
        item = asked(other, exclude_seen=True)["recommendations"][0]["item_id"]
        send(one, purchase(item))
        assert reasons(other)[item] == TODAY
        assert asked(other)["fallback"] is None


def test_while_redis_is_away(registry_directory, project, redis):
    with machine(registry_directory, project, redis) as client:
        first = asked(client, exclude_seen=True)["recommendations"]
        send(client, purchase(first[0]["item_id"]))
        redis.kill()
        answer = asked(client)
        assert "live_state_partial" in answer["fallback"]
        assert reasons(client)[first[0]["item_id"]] == TODAY
        assert send(client, purchase(first[1]["item_id"]))["stored_in"] == "database"
        assert reasons(client)[first[1]["item_id"]] == TODAY
        assert 'savor_store_up{store="redis"} 0.0' in client.get("/metrics").text
        assert 'savor_store_up{store="database"} 1.0' in client.get("/metrics").text
        assert "live state" in client.get("/ready").json()["problem"]


def test_a_redis_that_lost_everything(registry_directory, project, redis):
    with machine(registry_directory, project, redis) as client:
        item = asked(client, exclude_seen=True)["recommendations"][0]["item_id"]
        send(client, purchase(item))
        client.app.state.live.stores.redis._client.flushall()
        assert reasons(client)[item] == TODAY


def test_machines_count_together(registry_directory, project, redis):
    access = Access(SecurityOptions(requests_per_second=0.001, burst=3), keys=True)
    with (
        machine(registry_directory, project, redis, access) as one,
        machine(registry_directory, project, redis, access) as other,
    ):
        _, text = one.app.state.live.stores.api_keys.create("k", ["read"])
        for client in (one, other):
            client.app.state.live.stores.key_ring._read = float("-inf")
        headers = {"x-api-key": text}
        statuses = [client.get("/users", headers=headers).status_code for client in (one, other, one, other, one)]
        assert statuses == [200, 200, 200, 429, 429]
