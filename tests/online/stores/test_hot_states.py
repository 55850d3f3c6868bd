"""What every HotStates promises, of each of them."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.online.event_batch import EventBatch
from savor.online.identities import Identities
from savor.online.stores.memory_hot_states import MemoryHotStates
from savor.online.stores.redis_hot_states import RedisHotStates
from savor.online.stores.redis_link import RedisLink
from savor.online.stores.visitors import Visitors
from tests.online.stores.conftest import REDIS
from tests.online.stores.events import batch
from tests.online.stores.servers import RedisServer


@pytest.fixture(params=["memory", REDIS])
def make(request):
    """Makes one; further ones share the server, if there is one."""
    if request.param == "memory":
        return MemoryHotStates
    link = request.getfixturevalue("redis_link")
    return lambda **options: RedisHotStates(link, MemoryHotStates(**options), **options)


def recent(states, user="ann"):
    found = states.recent(user)
    assert found.problem == states.problem() == ""
    return found.events.event_id


def test_the_last_events_of_each_user(make):
    states = make(most_events=3)
    assert recent(states) == []
    states.add(EventBatch.concatenate([batch(1, 2), batch(9, user="bob")]))
    states.add(batch(5))
    states.add(batch(3))
    assert recent(states) == ["e2", "e3", "e5"]
    assert recent(states, "bob") == ["e9"]
    states.add(batch(*range(10, 1510)))
    assert recent(states) == ["e1507", "e1508", "e1509"]
    states.add(EventBatch.empty())


def test_every_column_comes_back(make):
    states = make()
    full = batch(1, 2, value=2.5, price=9.99, basket_id="b", position=3, propensity=0.5, search="jäm")
    states.add(full)
    assert states.recent("ann").events.rows() == full.rows()


def test_repeated_events_change_nothing(make):
    states = make()
    states.add(batch(1, 2))
    states.add(batch(2, 1, 2, value=7.0))
    found = states.recent("ann").events
    assert found.rows() == batch(1, 2).rows()


def test_visitors_who_became_users(make):
    states = make()
    states.add(batch(1, user="visitor-1"))
    states.add(batch(2))
    for _ in range(2):
        states.merge("visitor-1", "ann")
        assert recent(states) == ["e1", "e2"]
    states.add(batch(3, user="visitor-1"))
    assert recent(states) == recent(states, "visitor-1") == ["e1", "e2", "e3"]
    assert set(states.recent("ann").events.user_id) == {"ann"}


def test_forgotten_users(make):
    states = make()
    states.add(batch(1, user="visitor-1"))
    states.merge("visitor-1", "ann")
    states.add(batch(2, user="bob"))
    assert states.forget(["ann", "unknown"])
    assert recent(states) == recent(states, "visitor-1") == []
    assert recent(states, "bob") == ["e2"]
    states.add(batch(3, user="visitor-1"))
    assert recent(states) == []


def test_it_does_not_last_for_ever(make):
    states = make(seconds=0.05)
    states.add(batch(1))
    for _ in range(200):
        if not recent(states):
            return
        time.sleep(0.01)
    pytest.fail("it lasts")


def test_many_callers_at_once(make):
    states = make()
    callers = [
        threading.Thread(target=lambda part=part: [states.add(batch(part * 10 + n)) for n in range(10)])
        for part in range(6)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(recent(states)) == 60


def test_merging_in_the_store_and_near_to_hand(make, database):
    states = make()
    identities = Identities(Visitors(database), states)
    states.add(batch(1, user="visitor-1"))
    assert identities.merge("visitor-1", "ann")
    assert not identities.merge("visitor-1", "ann")
    assert recent(states) == ["e1"]
    assert Visitors(database).user_of("visitor-1") == "ann"


STEPS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "visitor-1"]), st.lists(st.integers(0, 12), max_size=5))
    | st.just("merge"),
    max_size=8,
)


@pytest.mark.xdist_group("servers")
@settings(max_examples=25)
@given(steps=STEPS)
def test_both_kinds_agree(steps, any_redis_link):
    """What is in Redis is what a process that saw everything knows by itself."""
    any_redis_link._client.flushall()
    memory, other = MemoryHotStates(most_events=6), MemoryHotStates(most_events=6)
    redis = RedisHotStates(any_redis_link, other, most_events=6)
    for step in steps:
        for states in (memory, redis):
            if step == "merge":
                states.merge("visitor-1", "ann")
            else:
                states.add(
                    batch(*step[1], user=step[0]) if step[0] != "bob" else batch(*(20 + n for n in step[1]), user="bob")
                )
    for user in ("ann", "bob", "visitor-1"):
        assert redis.recent(user).events.rows() == memory.recent(user).events.rows()


@pytest.fixture(scope="module")
def any_redis_link(redis_server):
    link = RedisLink.open(redis_server.url, timeout=2.0, pause=0.0)
    yield link
    link.close()


def test_memory_is_bounded():
    states = MemoryHotStates(most_users=3)
    for user in "abcde":
        states.add(batch(1, user=user))
    assert len(states) == 3
    assert recent(states, "a") == []
    assert recent(states, "e") == ["e1"]


@pytest.mark.xdist_group("servers")
def test_redis_goes_away_and_comes_back():
    """Two servers share Redis; while it is away each knows its own, and when it is back they know all again."""
    redis = RedisServer()
    redis.start()
    links = [RedisLink.open(redis.url, timeout=0.5, pause=0.02) for _ in range(2)]
    one, other = (RedisHotStates(link, MemoryHotStates()) for link in links)
    try:
        one.add(batch(1))
        one.add(batch(5, user="visitor-1"))
        other.add(batch(2, user="eve"))
        assert recent(other) == ["e1"]
        redis.kill()
        found = one.recent("ann")
        assert found.events.event_id == ["e1"]
        assert "cannot be used now" in found.problem
        one.add(batch(3))
        one.merge("visitor-1", "ann")
        assert one.recent("ann").events.event_id == ["e1", "e3", "e5"]
        assert not other.forget(["eve"])
        redis.start()
        for _ in range(500):
            if not one.recent("ann").problem and not other.recent("ann").problem:
                break
            time.sleep(0.01)
        assert recent(one) == recent(other) == ["e1", "e3", "e5"]
        other.add(batch(6, user="visitor-1"))
        assert recent(one) == ["e1", "e3", "e5", "e6"]
        assert recent(one, "eve") == []
    finally:
        for link in links:
            link.close()
        redis.close()
