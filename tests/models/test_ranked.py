import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.core.top_k import top_k
from savor.models.ranked import Ranked


@settings(max_examples=200)
@given(st.integers(0, 3), st.integers(0, 400), st.integers(0, 12), st.integers(1, 30), st.integers(0, 10_000))
def test_top_k_is_a_stable_full_sort(rows, width, k, levels, seed):
    scores = np.random.default_rng(seed).integers(0, levels, (rows, width)).astype(np.float32)
    scores[scores == 1] = -np.inf
    items, values = top_k(scores, k)
    for row in range(rows):
        order = np.argsort(-scores[row], kind="stable")
        right = order[scores[row][order] > -np.inf][:k]
        assert items[row].tolist() == [*right.tolist(), *[-1] * (k - len(right))]
        np.testing.assert_array_equal(values[row, : len(right)], scores[row][right])
        assert np.isneginf(values[row, len(right) :]).all()


def test_columns_are_item_numbers():
    ranked = Ranked.from_scores(np.array([[1, -np.inf, 3]], np.float32), 3, np.array([4, 6, 9], np.int32))
    assert ranked.items.tolist() == [[9, 4, -1]]
    assert ranked.items.dtype == np.int32
    nothing = Ranked.from_scores(np.empty((2, 0), np.float32), 2, np.empty(0, np.int32))
    assert nothing.items.tolist() == [[-1, -1], [-1, -1]]
