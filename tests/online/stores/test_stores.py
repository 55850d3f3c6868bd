"""All of them, opened as a server does."""

from contextlib import closing

import pytest

from savor.core.errors import ConfigError
from savor.data.engine import open_engine
from savor.data.options import IngestOptions
from savor.data.sources.open_source import open_source
from savor.online.stores.kept_lists import KeptList
from savor.online.stores.memory_hot_states import MemoryHotStates
from savor.online.stores.options import StoreOptions
from savor.online.stores.rate_limiter import MemoryRateLimiter, TokenBucket
from savor.online.stores.redis_hot_states import RedisHotStates
from savor.online.stores.redis_rate_limiter import RedisRateLimiter
from savor.online.stores.stores import DATABASE_VARIABLE, REDIS_VARIABLE, open_stores
from tests.online.stores.events import batch
from tests.online.stores.servers import free_port


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch):
    for name in (DATABASE_VARIABLE, REDIS_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def test_with_nothing_but_a_folder(tmp_path):
    with closing(open_stores(StoreOptions(), tmp_path)) as stores:
        assert stores.events.append(batch(1, 2)).accepted == 2
        stores.hot_states.add(batch(1, 2))
        assert stores.identities.merge("visitor-1", "ann")
        stores.kept_lists.put("ann", KeptList(("a",), (1.0,)))
        _, shown = stores.api_keys.create("shop", ["read"])
        assert stores.key_ring.verify(shown)
        receipt = stores.erasure.erase("ann", actor="command line")
        assert receipt.removed["events"] == 2
        assert isinstance(stores.hot_states, MemoryHotStates)
        assert isinstance(stores.rate_limiter(TokenBucket(1, 1)), MemoryRateLimiter)
    assert {path.name for path in (tmp_path / ".savor").iterdir()} <= {"live.db", "erasure.key", "journal"}


def test_with_nothing_that_is_there(tmp_path, monkeypatch):
    """A server starts all the same, and takes in events."""
    monkeypatch.setenv(DATABASE_VARIABLE, f"postgresql://savor@127.0.0.1:{free_port()}/live")
    monkeypatch.setenv(REDIS_VARIABLE, f"redis://127.0.0.1:{free_port()}")
    with closing(open_stores(StoreOptions(), tmp_path)) as stores:
        assert stores.events.append(batch(1)).spilled
        stores.hot_states.add(batch(1))
        found = stores.hot_states.recent("ann")
        assert found.events.event_id == ["e1"]
        assert found.problem
        assert isinstance(stores.hot_states, RedisHotStates)
        limiter = stores.rate_limiter(TokenBucket(1, 1))
        assert isinstance(limiter, RedisRateLimiter)
        assert limiter.take("k").allowed
    monkeypatch.delenv(DATABASE_VARIABLE)
    with closing(open_stores(StoreOptions(), tmp_path)) as stores:
        for _ in stores.events.append(batch(2)), stores.events.append(batch(3)):
            pass
        while stores.events.status().waiting or not stores.events.status().reachable:
            pass
        assert stores.events.read_after(0).rows.event_id == ["e1", "e2", "e3"]


def test_passwords_in_the_configuration(tmp_path):
    with pytest.raises(ConfigError, match=r"stores\.redis"):
        open_stores(StoreOptions(redis="redis://:p4ss@host:6379"), tmp_path)


def test_ingest_reads_the_events_for_the_next_training_set(tmp_path):
    with closing(open_stores(StoreOptions(), tmp_path)) as stores:
        stores.events.append(batch(1, user="visitor-1", price=2.5))
        stores.events.append(batch(2, user="bob"))
        stores.events.append(batch(3, user="eve", item_id=None, search="bread"))
        stores.identities.merge("visitor-1", "ann")
        with open_engine(IngestOptions(), tmp_path) as engine:
            query = "SELECT user_id, item_id, time, kind, price FROM training_events ORDER BY number"
            table = open_source(engine, "sqlite:///.savor/live.db", query, tmp_path)
            rows = engine.records(table.rows)
    assert [(row["user_id"], row["item_id"], row["time"], row["price"]) for row in rows] == [
        ("ann", "i1", "1700000000000001", "2.5"),
        ("bob", "i2", "1700000000000002", None),
    ]
