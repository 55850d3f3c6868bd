import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from savor.core.top_k import top_k


@given(
    arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 30)), elements=st.sampled_from([-np.inf, 0, 1, 2])),
    st.integers(1, 40),
)
def test_agrees_with_a_full_sort(scores: np.ndarray, k: int) -> None:
    items, values = top_k(scores, k)
    for row, line in enumerate(scores):
        order = [int(place) for place in np.argsort(-line, kind="stable") if line[place] > -np.inf][:k]
        assert items[row, : len(order)].tolist() == order
        assert (items[row, len(order) :] == -1).all()
        np.testing.assert_array_equal(values[row, : len(order)], line[order])
