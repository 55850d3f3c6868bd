import math
import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from savor.api.live_requests import EventBody
from savor_edge import EdgeError
from savor_edge.event import checked_event
from savor_edge.person_store import PersonStore
from tests.synthetic_bundle import NOW

MILLISECONDS = NOW * 1000


@pytest.fixture
def store(tmp_path):
    return PersonStore(tmp_path / "deep" / "people.sqlite", lambda: MILLISECONDS)


def event(**said):
    return {"user_id": "me", "kind": "view", "item_id": "1001", **said}


def test_events_come_back_in_the_order_recorded(store):
    assert store.record([event(time=NOW - 5), event(item_id=1002, time=NOW - 9)]) == (2, 0)
    assert store.record(event(user_id="you")) == (1, 0)
    mine = list(store.events("me"))
    assert [one.event["item_id"] for one in mine] == ["1001", "1002"]
    assert [one.event["time"] for one in mine] == [(NOW - 5) * 1000, (NOW - 9) * 1000]
    assert store.extent("me") == (2, mine[-1].number)
    assert store.extent("nobody") == (0, 0)
    assert list(store.events("me", mine[0].number)) == mine[1:]


def test_the_same_event_counts_once(store):
    assert store.record([event(event_id="a"), event(event_id="b")]) == (2, 0)
    assert store.record([event(event_id="b"), event(event_id="c")]) == (1, 1)
    assert store.record([event(), event()]) == (2, 0)


def test_a_bad_event_keeps_all_of_them_out(store):
    with pytest.raises(EdgeError, match="kind is required") as caught:
        store.record([event(), {"user_id": "me"}])
    assert caught.value.code == "event_invalid"
    assert store.extent("me") == (0, 0)


def test_what_was_recorded_is_on_the_disk(store, tmp_path):
    store.record(event(item_id="kept"))
    other = sqlite3.connect(tmp_path / "deep" / "people.sqlite")
    try:
        assert '"kept"' in other.execute("select event from events").fetchone()[0]
    finally:
        other.close()


def test_nothing_leaves_without_consent(store):
    store.record(event(event_id="before"))
    assert not store.consent
    assert store.pending(10) == []
    store.set_consent(True)
    assert store.pending(10) == []
    store.record(event(event_id="after"))
    assert [one.event["event_id"] for one in store.pending(10)] == ["after"]
    assert store.number_pending == 1
    store.set_consent(False)
    assert store.number_pending == 0
    store.set_consent(True)
    assert store.pending(10) == []
    store.set_consent(True, include_earlier=True)
    assert [one.event["event_id"] for one in store.pending(10)] == ["before", "after"]


def test_what_was_sent_or_refused_does_not_wait(store):
    store.set_consent(True)
    store.record([event(event_id=name) for name in "abc"])
    first, second, _ = store.pending(10)
    store.sent([first.number])
    store.refused([second.number])
    assert [one.event["event_id"] for one in store.pending(10)] == ["c"]
    store.set_consent(True, include_earlier=True)
    assert [one.event["event_id"] for one in store.pending(10)] == ["c"]


def test_people_can_be_forgotten(store, tmp_path):
    store.record([event(item_id="a-secret-thing"), event(user_id="you")])
    store.put_profile("me", {"age": "20-30"})
    device, visitor = store.device, store.visitor
    assert store.erase("me") == 1
    assert (list(store.events("me")), store.profile("me")) == ([], {})
    assert len(list(store.events("you"))) == 1
    assert store.device == device
    files = list((tmp_path / "deep").iterdir())
    assert not any(b"a-secret-thing" in path.read_bytes() for path in files)
    store.set_consent(True)
    assert store.erase() == 1
    assert not store.consent
    assert store.device != device
    assert store.visitor != visitor


def test_names_are_drawn_once(store, tmp_path):
    assert len(store.device) == 32
    assert store.visitor.startswith("visitor-")
    again = PersonStore(tmp_path / "deep" / "people.sqlite")
    assert (again.device, again.visitor) == (store.device, store.visitor)
    assert PersonStore(None).device != store.device


def test_a_file_that_is_none_or_newer_is_refused(tmp_path):
    path = tmp_path / "people.sqlite"
    path.write_bytes(b"no database at all, and long enough to be one" * 10)
    with pytest.raises(EdgeError, match="cannot be used") as caught:
        PersonStore(path)
    assert caught.value.code == "store_invalid"
    newer = tmp_path / "newer.sqlite"
    connection = sqlite3.connect(newer)
    connection.execute("pragma user_version = 9")
    connection.close()
    with pytest.raises(EdgeError, match=r"format 9.*update savor-edge"):
        PersonStore(newer)
    with pytest.raises(EdgeError, match="cannot be used"):
        PersonStore(path / "below a file")


def test_a_profile_must_be_json(store):
    with pytest.raises(EdgeError, match="cannot be kept"):
        store.put_profile("me", {"age": math.nan})
    with pytest.raises(EdgeError, match="cannot be kept"):
        store.put_profile("me", {"age": object()})


IDS = st.one_of(st.text(min_size=0, max_size=5), st.integers(-(2**70), 2**70), st.just("x" * 257), st.booleans())
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "event_id": st.one_of(st.text(max_size=3), st.none()),
        "user_id": IDS,
        "kind": st.one_of(st.sampled_from(["view", "1", "a b", "x" * 65, "A.b-c_d"]), st.integers()),
        "item_id": IDS,
        "time": st.one_of(
            st.integers(-5, 2 * 10**16),
            st.sampled_from(["2020-01-31T12:00:00Z", "2020-01-31 12:00+02:00", "soon", "", "2020-01-31"]),
            st.floats(),
        ),
        "value": st.one_of(st.floats(), st.integers(-9, 9), st.text(max_size=1)),
        "basket_id": IDS,
        "position": st.one_of(st.integers(-2, 2**32), st.floats()),
        "propensity": st.floats(-1, 2),
        "search": st.one_of(st.text(max_size=3), st.just("x" * 2001)),
        "colour": st.just("red"),
    },
)


EARLIEST = 10**11
"""Milliseconds before this moment of 1973 would pass for seconds, so such an event is not kept."""


@given(EVENTS)
@example({"item_id": "1", "time": 1})
@example({"item_id": "1", "time": "1972-06-01"})
def test_what_is_kept_is_what_the_server_takes(said):
    """Whatever the device keeps, `POST /events` accepts; and it refuses nothing that the server would take today."""
    taken = moment_of(said)
    try:
        kept = checked_event(said, MILLISECONDS)
    except EdgeError:
        kept = None
    if kept is None:
        assert taken is None or taken > MILLISECONDS * 1000 or 0 < taken < EARLIEST * 1000
        return
    again = moment_of(kept)
    assert again is not None
    assert taken == 0 or again // 1000 == taken // 1000
    assert isinstance(kept["event_id"], str)


def moment_of(event):
    """UTC microseconds that the server reads; 0 where it names no time, None where it does not take the event."""
    try:
        return EventBody.model_validate(event).time or 0
    except ValidationError:
        return None
