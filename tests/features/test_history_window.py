import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.data.events import Events
from savor.data.histories import Histories
from savor.features.history_window import AGE_BUCKETS, HOUR, age_bucket, known_until, last_positions


def histories_of(rows: list[tuple[int, int, int]], users: int) -> Histories:
    rows = sorted(rows, key=lambda row: row[1])
    user, time, item = (np.asarray([row[n] for row in rows], np.int64) for n in range(3))
    n = len(rows)
    zeros = np.zeros(n, np.float32)
    events = Events(
        user.astype(np.int32), item.astype(np.int32), time, np.zeros(n, np.uint8), zeros, zeros,
        np.full(n, -1, np.int64), np.zeros(n, np.uint8),
    )  # fmt: skip
    return Histories.from_events(events, users)


rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(0, 9)), max_size=60)
queries = st.lists(st.tuples(st.integers(-1, 6), st.integers(-1, 32)), min_size=1, max_size=20)


@given(rows, queries, st.booleans(), st.integers(1, 7))
def test_a_window_is_the_newest_of_what_was_known(rows, queries, strictly, length):
    histories = histories_of(rows, 5)
    users, now = np.asarray([q[0] for q in queries], np.int32), np.asarray([q[1] for q in queries], np.int64)
    ends = known_until(histories, users, now, strictly=strictly)
    window = last_positions(histories, users, ends, length)
    for user, moment, positions in zip(users, now, window, strict=True):
        own = histories.of(int(user))
        known = own.time < moment if strictly else own.time <= moment
        expected = own.item[known][::-1][:length].tolist()
        assert [int(histories.item[p]) for p in positions if p >= 0] == expected
        assert (positions[len(expected) :] == -1).all()


@given(rows, queries, st.booleans())
def test_one_at_a_time_is_the_same_as_many(rows, queries, strictly):
    histories = histories_of(rows, 5)
    users, now = np.asarray([q[0] for q in queries] * 9, np.int32), np.asarray([q[1] for q in queries] * 9, np.int64)
    together = known_until(histories, users, now, strictly=strictly)
    alone = [known_until(histories, users[n : n + 1], now[n : n + 1], strictly=strictly)[0] for n in range(len(users))]
    for user, one, other in zip(users, together, alone, strict=True):
        if 0 <= user < 5:
            assert one == other


def test_age_buckets_double():
    ages = np.asarray([-5, 0, HOUR - 1, HOUR, 3 * HOUR, 7 * HOUR, 10**12])
    assert age_bucket(ages).tolist() == [1, 1, 1, 2, 3, 4, AGE_BUCKETS - 1]


@pytest.mark.parametrize("users", [0, 3])
def test_no_events(users):
    histories = histories_of([], users)
    who, now = np.arange(12, dtype=np.int32), np.full(12, 5, np.int64)
    assert (last_positions(histories, who, known_until(histories, who, now), 4) == -1).all()
