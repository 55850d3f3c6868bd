import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from savor.training.ctr.running_means import Earlier

GROUP = np.array([7, 9, 7, 7, 7, 9])
TIME = np.array([1, 1, 2, 2, 3, 5], np.int64)
VALUE = np.array([5.0, 1, 3, 4, 2, 4])


def test_by_hand():
    earlier = Earlier(GROUP, TIME)
    np.testing.assert_array_equal(earlier.count(), [0, 0, 1, 1, 3, 1])
    np.testing.assert_array_equal(earlier.total(VALUE), [0, 0, 5, 5, 12, 1])
    np.testing.assert_array_equal(earlier.total(VALUE, last=2), [0, 0, 5, 5, 7, 1])
    # With a prior of 3 that counts for 2: (0 + 6) / 2, …, (12 + 6) / 5.
    np.testing.assert_allclose(earlier.mean(VALUE, 3.0, 2), [3, 3, 11 / 3, 11 / 3, 18 / 5, 7 / 3])
    np.testing.assert_array_equal(earlier.latest(VALUE, 1), [np.nan, np.nan, 5, 5, 4, 1])
    np.testing.assert_array_equal(earlier.latest(VALUE, 3, absent=-1), [-1, -1, -1, -1, 5, -1])


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_as_a_loop_says(seed, size):
    rng = np.random.default_rng(seed)
    group, time = rng.integers(0, 4, size), rng.integers(0, 12, size).astype(np.int64)
    value = rng.standard_normal(size)
    total = Earlier(group, time).total(value)
    expected = [value[(group == group[row]) & (time < time[row])].sum() for row in range(size)]
    np.testing.assert_allclose(total, expected, atol=1e-9)
