import shutil
from dataclasses import replace

import numpy as np
import pytest

from savor.core.errors import MissingDependencyError
from savor.data.histories import Histories
from savor.features.columns import CategoryColumn, Columns, TagColumn
from savor.features.profiles import Profiles
from savor.features.searches import Searches
from savor.online.event_batch import EventBatch
from savor.online.live_feed import LiveFeed
from savor.online.live_states import LiveStates
from savor.online.stores.options import StoreOptions
from savor.online.stores.stores import open_stores
from savor.online.user_states import UserStates

END = 1_000
MADE = 2_000
NOW = 3_000
SECOND = 1_000_000
ITEMS = {f"i{row}": row for row in range(9)}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    stores = open_stores(StoreOptions(), folder)
    stores.database.ping()
    stores.close()
    return folder / ".savor" / "live.db"


@pytest.fixture
def stores(made, tmp_path):
    (tmp_path / ".savor").mkdir()
    shutil.copy(made, tmp_path / ".savor" / "live.db")
    stores = open_stores(StoreOptions(), tmp_path)
    yield stores
    stores.close()


@pytest.fixture
def feed(stores):
    feed = LiveFeed(stores, seconds=60, patience=5)
    feed.start()
    yield feed
    feed.close()


@pytest.fixture
def base():
    histories = Histories(
        np.array([0, 3, 3, 5], np.int64),
        np.array([4, 5, 4, 1, 2], np.int32),
        np.array([10, 20, 30, 5, 6], np.int64),
        np.zeros(5, np.uint8),
        np.ones(5, np.float32),
        np.full(5, np.nan, np.float32),
        np.arange(5, dtype=np.int64),
    )
    columns = Columns(
        {"age": CategoryColumn.from_strings(["old", None, "young"])},
        {"likes": TagColumn.from_lists([["tea"], None, ["jam", "tea"]])},
        {"size": np.array([1, np.nan, 3], np.float32)},
    )
    searches = Searches(
        np.array([0, 1, 1, 1]), np.array([15], np.int64), np.array([0], np.int32), np.ones((1, 4), np.float16), "e"
    )
    return UserStates(histories, Profiles(["ann", "bob", "cy"], columns), searches=searches)


@pytest.fixture
def states(base, feed):
    return LiveStates(base, feed, ITEMS, ["cart", "purchase"], data_end=END, made=MADE)


def took(feed, stores, *events, received=NOW):
    listed = [{"user_id": "ann", "kind": "purchase", "item_id": "i1", **event} for event in events]
    batch = EventBatch.of([{"event_id": f"{received}-{n}", **one} for n, one in enumerate(listed)], received * SECOND)
    stores.events.append(batch)
    feed.took(batch)


def test_without_events_it_is_the_bundle(states, base):
    for user in ("ann", "bob", "eve"):
        for now in (9, 29, 99):
            assert states.history(user, now).item.tolist() == base.history(user, now).item.tolist()
        assert states.profile(user) == base.profile(user) or user == "bob"
        assert (user in states) == (user in base)
    assert states.at("ann", 30).interest is not None
    assert states.sample(5) == base.sample(5)
    assert states.ids == base.ids


def test_events_are_laid_over_in_order(states, feed, stores):
    took(feed, stores, {"time": 2500 * SECOND, "item_id": "i3", "value": 2, "price": 4.5, "basket_id": "b"},
         {"time": 2400 * SECOND, "item_id": "i2", "kind": "cart", "basket_id": "b"})  # fmt: skip
    history = states.history("ann", NOW)
    assert history.item.tolist() == [4, 5, 4, 2, 3]
    assert history.time.tolist() == [10, 20, 30, 2400, 2500]
    assert history.kind.tolist() == [0, 0, 0, 0, 1]
    assert history.value.tolist() == [1, 1, 1, 1, 2]
    assert history.price[-1] == 4.5
    assert np.isnan(history.price[3])
    assert history.basket[3] == history.basket[4] > 1 << 60
    assert history.item.dtype == np.int32
    assert history.time.dtype == np.int64
    assert history.kind.dtype == np.uint8
    assert history.value.dtype == history.price.dtype == np.float32
    assert states.live_events("ann") == 2


def test_what_the_bundle_may_know_does_not_count_twice(states, feed, stores):
    took(feed, stores, {"time": 900 * SECOND}, {"time": 1001 * SECOND, "item_id": "i2"}, received=1500)
    assert states.history("ann", NOW).item.tolist() == [4, 5, 4, 2]
    took(feed, stores, {"time": 25 * SECOND, "item_id": "i7"}, received=2500)
    assert states.history("ann", NOW).item.tolist() == [4, 5, 7, 4, 2], "received later than the bundle was made"


def test_events_of_the_future_count_as_of_now(states, feed, stores):
    took(feed, stores, {"time": 9000 * SECOND, "item_id": "i2"}, {"item_id": "i3"}, received=5000)
    history = states.history("ann", NOW)
    assert history.item.tolist() == [4, 5, 4, 3, 2]
    assert history.time.tolist()[-2:] == [NOW, NOW]
    assert states.history("ann", 9999).time.tolist()[-2:] == [5000, 5000]


def test_kinds_that_the_bundle_does_not_know(states, feed, stores):
    took(feed, stores, {"kind": "view", "item_id": "i2"}, {"kind": "impression", "item_id": "i3"})
    state = states.at("ann", NOW)
    assert state.history.item.tolist() == [4, 5, 4]
    assert state.interest.item.tolist() == [4, 5, 4, 2]
    assert states.at("cy", NOW).interest is states.at("cy", NOW).history or states.at(
        "cy", NOW
    ).interest.item.tolist() == [1, 2]


def test_unknown_items_wait_for_the_catalogue(states, feed, stores):
    took(feed, stores, {"item_id": "new"})
    assert states.history("ann", NOW).item.tolist() == [4, 5, 4]
    more = states.with_items({**ITEMS, "new": 9})
    assert more.history("ann", NOW).item.tolist() == [4, 5, 4, 9]


def test_profiles(states, feed, stores):
    stores.entities.put("user", {"cy": {"age": None, "likes": ["ham"]}, "eve": {"size": 2}})
    feed.changed()
    profile = states.profile("cy")
    assert (profile.categories, profile.tags, profile.numerics) == ({"age": None}, {"likes": ["ham"]}, {"size": 3.0})
    assert states.profile("eve").numerics == {"size": 2.0}
    assert "eve" in states
    assert states.sample(9, containing="EV") == [("eve", 0)]
    stores.entities.put("user", {"cy": None, "eve": None})
    feed.changed()
    assert "cy" not in states
    assert "eve" not in states
    assert len(states.history("cy", NOW)) == 0
    assert states.profile("cy").categories == {}
    assert states.sample(9, containing="cy") == []


def test_merged_visitors(states, feed, stores):
    took(feed, stores, {"user_id": "visitor-1", "item_id": "i2"})
    assert states.history("visitor-1", NOW).item.tolist() == [2]
    stores.identities.merge("visitor-1", "ann")
    feed.merged("visitor-1", "ann")
    for user in ("ann", "visitor-1"):
        assert states.history(user, NOW).item.tolist() == [4, 5, 4, 2]
        assert states.profile(user).categories == {"age": "old"}


def test_more_merges_and_users_than_are_held(base, stores):
    """What does not fit into memory is read when it is asked for."""
    for number in range(6):
        batch = EventBatch.of(
            [{"user_id": f"visitor-{number}", "kind": "purchase", "item_id": f"i{number}"}], NOW * SECOND
        )
        stores.events.append(batch)
        stores.visitors.merge(f"visitor-{number}", f"user {number}")
        stores.entities.put("user", {f"user {number}": {"size": number}})
    feed = LiveFeed(stores, seconds=60, patience=5, most_users=2, most_events=2)
    feed.start()
    try:
        states = LiveStates(base, feed, ITEMS, ["purchase"], data_end=END, made=MADE)
        for _ in range(2):
            for number in range(6):
                for name in (f"visitor-{number}", f"user {number}"):
                    state = states.at(name, NOW)
                    assert (state.history.item.tolist(), state.problem) == ([number], "")
                    assert state.profile.numerics == {"size": number}
    finally:
        feed.close()


def test_erased(states, feed, stores):
    took(feed, stores, {"item_id": "i2"})
    stores.erasure.erase("ann", actor="test")
    feed.changed()
    assert "ann" not in states
    assert len(states.history("ann", NOW)) == len(states.searches("ann").time) == 0
    assert states.profile("ann").categories == {}
    assert states.history("cy", NOW).item.tolist() == [1, 2]
    assert stores.hot_states.recent("ann").events.event_id == []


def test_searches_are_encoded_once(states, feed, stores):
    calls = []

    def encode(texts):
        calls.append(texts)
        return np.full((len(texts), 4), 2, np.float32)

    states.encode = encode
    took(
        feed,
        stores,
        {"kind": "search", "item_id": None, "search": "bread"},
        {"kind": "search", "item_id": None, "search": "bread"},
    )
    found = states.searches("ann")
    assert found.time.tolist() == [15, NOW, NOW]
    assert found.vectors.tolist() == [[1] * 4, [2] * 4, [2] * 4]
    states.searches("ann")
    assert calls == [["bread"]]
    assert states.searches("bob").time.tolist() == []


def test_without_the_encoder_old_searches_count(states, feed, stores):
    def encode(texts):
        raise MissingDependencyError("onnxruntime", "train")

    states.encode = encode
    took(feed, stores, {"kind": "search", "item_id": None, "search": "bread"})
    assert states.searches("ann").time.tolist() == [15]


def test_repeated_asking_gives_the_same(states, feed, stores):
    took(feed, stores, {"item_id": "i2"})
    first = states.at("ann", NOW)
    again = states.at("ann", NOW)
    assert first.history.item.tolist() == again.history.item.tolist()
    took(feed, stores, {"item_id": "i3"}, received=NOW + 1)
    assert states.history("ann", NOW).item.tolist() == [4, 5, 4, 2, 3]


def test_a_store_that_is_away_is_said(base, stores, monkeypatch):
    from savor.online.stores.errors import StoreAwayError

    def away(*_, **__):
        raise StoreAwayError("gone fishing")

    monkeypatch.setattr(stores.events, "last", away)
    monkeypatch.setattr("savor.online.live_feed.last_numbers", away)
    feed = LiveFeed(stores, seconds=60, patience=5)
    feed.start()
    try:
        states = LiveStates(base, feed, ITEMS, ["purchase"], data_end=END, made=MADE)
        batch = replace(EventBatch.of([{"user_id": "ann", "kind": "purchase", "item_id": "i1"}], NOW * SECOND))
        feed.took(batch)
        state = states.at("ann", NOW)
        assert state.history.item.tolist() == [4, 5, 4, 1]
        assert "gone fishing" in state.problem
    finally:
        feed.close()
