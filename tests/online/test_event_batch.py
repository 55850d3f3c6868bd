from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.core.errors import DataError
from savor.online.event_batch import EventBatch
from savor.online.stores.errors import StoreError
from savor.online.stores.event_record import decode, encode

NOW = 1_700_000_000_000_000
VIEW = {"user_id": "ann", "kind": "view", "item_id": "i"}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
OPTIONAL = {
    "item_id": TEXT,
    "time": st.integers(0, 2**52),
    "value": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 5),
    "price": st.floats(0, 1e6),
    "basket_id": TEXT,
    "recommendation_id": TEXT,
    "position": st.integers(0, 1000),
    "variant": TEXT,
    "propensity": st.floats(0, 1, exclude_min=True),
    "search": TEXT,
    "event_id": TEXT,
}
EVENTS = st.fixed_dictionaries({"user_id": TEXT, "kind": TEXT}, optional=OPTIONAL)


@given(st.lists(EVENTS, max_size=5))
def test_nothing_is_lost_on_the_way(given_events):
    batch = EventBatch.of(given_events, NOW)
    for event, row in zip(given_events, batch.rows(), strict=True):
        found = dict(zip(EventBatch.names(), row, strict=True))
        assert {name: found[name] for name in event} == event
        assert found["received"] == NOW
        assert found["time"] == event.get("time", NOW)
    assert EventBatch.from_rows(batch.rows()).rows() == batch.rows()
    assert decode(encode(batch)).rows() == batch.rows()


@given(EVENTS, EVENTS)
def test_an_id_is_made_of_what_is_said(one, other):
    one, other = ({name: value for name, value in event.items() if name != "event_id"} for event in (one, other))
    first, second = EventBatch.of([one, dict(reversed(one.items()))], NOW).event_id
    assert first == second
    assert (EventBatch.of([other], NOW).event_id[0] == first) == ({"time": NOW, **one} == {"time": NOW, **other})


def test_absent_is_none_nan_and_minus_one():
    batch = EventBatch.of([{**VIEW, "item_id": None, "value": None}], NOW)
    assert batch.item_id == [None]
    assert np.isnan(batch.value[0])
    assert batch.position[0] == -1
    assert (str(batch.time.dtype), str(batch.value.dtype)) == ("int64", "float64")
    assert len(EventBatch.empty()) == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"user_id": None}, "user_id is required"),
        ({"kind": ""}, "kind must be text"),
        ({"user_id": 7}, "user_id must be text"),
        ({"item_id": "x" * 257}, "at most 256"),
        ({"search": "x" * 2001}, "at most 2000"),
        ({"item_id": "a\0b"}, "NUL"),
        ({"item_id": "\ud800"}, "surrogates"),
        ({"value": float("nan")}, "finite"),
        ({"value": 10**400}, "finite"),
        ({"price": True}, "finite"),
        ({"price": "3"}, "finite"),
        ({"time": -1}, "whole number"),
        ({"time": 10**18}, "whole number"),
        ({"time": 1.5}, "whole number"),
        ({"position": 2**31}, "whole number"),
        ({"position": True}, "whole number"),
        ({"propensity": 0.0}, "above 0"),
        ({"propensity": 1.5}, "above 0"),
        ({"colour": "red"}, "colour is not a part"),
        ({"received": 1}, "received is not a part"),
    ],
)
def test_what_no_store_could_keep(change, problem):
    with pytest.raises(DataError, match=problem) as caught:
        EventBatch.of([VIEW, {**VIEW, **change}], NOW)
    assert caught.value.code == "event_invalid"
    assert "event 1:" in str(caught.value)


def test_parts_of_a_batch():
    batch = EventBatch.of([{**VIEW, "item_id": f"i{number}"} for number in range(5)], NOW)
    assert batch.take([3, 0]).item_id == ["i3", "i0"]
    assert [piece.item_id for piece in batch.pieces(2)] == [["i0", "i1"], ["i2", "i3"], ["i4"]]
    assert EventBatch.concatenate(list(batch.pieces(2))).rows() == batch.rows()
    with pytest.raises(DataError, match="one length"):
        replace(batch, search=["one"])


def test_records_of_other_versions():
    batch = EventBatch.of([VIEW], NOW)
    names, rows = orjson.loads(encode(batch))
    later = orjson.dumps([["new", *names[:-1]], [[1, *rows[0][:-1]]]])
    assert decode(later).rows() == batch.rows()
    for wrong in (b"", b"[]", b"{}", b"[[],[[1]],3]"):
        with pytest.raises(StoreError):
            decode(wrong)
