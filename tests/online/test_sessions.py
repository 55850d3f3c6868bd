import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from savor.online.sessions import NO_SESSION, SessionRule, sessionise

MINUTE = 60_000_000
RULE = SessionRule()


def sessions(*events, rule=None):
    """Sessions of (user, minute, kind)."""
    users, minutes, kinds = zip(*events, strict=True)
    return sessionise(list(users), np.array(minutes, np.int64) * MINUTE, list(kinds), rule).tolist()


def test_a_gap_ends_a_session():
    assert sessions(("a", 0, "view"), ("a", 30, "view"), ("a", 61, "view")) == [0, 0, 1]
    assert sessions(("a", 0, "view"), ("a", 5, "view"), rule=SessionRule(gap=60)) == [0, 1]


def test_users_and_order():
    assert sessions(("b", 7, "view"), ("a", 0, "view"), ("b", 3, "view"), ("a", 50, "view")) == [0, 1, 0, 2]


def test_a_purchase_ends_what_the_session_was_for():
    assert sessions(("a", 0, "cart"), ("a", 1, "purchase"), ("a", 1, "purchase"), ("a", 2, "view")) == [0, 0, 0, 1]


def test_impressions_belong_to_what_is_open():
    assert sessions(
        ("a", 0, "impression"), ("a", 1, "view"), ("a", 2, "impression"), ("a", 40, "impression"), ("a", 41, "view")
    ) == [NO_SESSION, 0, 0, NO_SESSION, 1]
    assert sessions(("a", 0, "purchase"), ("a", 1, "impression"), ("b", 2, "impression")) == [0, NO_SESSION, NO_SESSION]


def test_nothing():
    assert sessionise([], np.empty(0, np.int64), []).tolist() == []


EVENT = st.tuples(st.sampled_from("ab"), st.integers(0, 200), st.sampled_from(["view", "purchase", "impression"]))


@given(st.lists(EVENT, min_size=1, max_size=30, unique_by=lambda event: event[:2]))
def test_the_same_as_going_through_them_one_by_one(events):
    expected, number = {}, -1
    for user in dict.fromkeys(event[0] for event in events):
        last = None
        for event in sorted((event for event in events if event[0] == user), key=lambda event: event[1]):
            _, minute, kind = event
            if kind in RULE.passive:
                inside = last is not None and minute - last[1] <= 30 and last[2] not in RULE.closing
                expected[event] = number if inside else NO_SESSION
                continue
            finished = last is not None and last[2] in RULE.closing and kind not in RULE.closing
            number += last is None or minute - last[1] > 30 or finished
            expected[event], last = number, event
    assert sessions(*events) == [expected[event] for event in events]
