import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.models.neighbour_sums import NeighbourSums
from savor.models.neighbours import Neighbours

ITEMS, NEAR = 30, 4


def table(seed: int) -> Neighbours:
    rng = np.random.default_rng(seed)
    item = rng.integers(0, ITEMS, (ITEMS, NEAR)).astype(np.int32)
    weight = rng.integers(1, 4, (ITEMS, NEAR)).astype(np.float32)
    item[np.arange(NEAR) >= rng.integers(0, NEAR + 1, (ITEMS, 1))] = -1
    return Neighbours(item, weight)


def dense(neighbours: Neighbours, items: np.ndarray, factors: np.ndarray) -> np.ndarray:
    total = np.zeros(ITEMS)
    for row, factor in zip(items, factors, strict=True):
        for near, weight in zip(neighbours.item[row], neighbours.weight[row], strict=True):
            if near >= 0:
                total[near] += weight * factor
    return total


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 5),
    st.lists(st.integers(0, ITEMS - 1), max_size=12),
    st.lists(st.integers(0, ITEMS - 1), max_size=10),
    st.integers(1, ITEMS + 5),
    st.data(),
)
def test_the_sums_and_the_best_of_them(seed: int, rows: list[int], without: list[int], k: int, data) -> None:
    neighbours, items = table(seed), np.asarray(rows, np.int32)
    factors = np.asarray(data.draw(st.lists(st.sampled_from([0.5, 1, 2]), min_size=len(rows), max_size=len(rows))))
    allowed = np.asarray(data.draw(st.lists(st.booleans(), min_size=ITEMS, max_size=ITEMS)))
    sums = NeighbourSums.of(neighbours, items, factors.astype(np.float32))
    total = dense(neighbours, items, factors)
    np.testing.assert_array_equal(sums.values(np.arange(ITEMS, dtype=np.int32)), total.astype(np.float32))

    left_out = np.asarray(without, np.int32)
    wanted = (total > 0) & allowed & ~np.isin(np.arange(ITEMS), left_out)
    expected = sorted(np.flatnonzero(wanted).tolist(), key=lambda item: (-total[item], item))[:k]
    found, scores = sums.best(k, allowed, left_out)
    assert found.tolist() == expected
    assert scores.tolist() == total[expected].tolist()
    assert found.dtype == np.int32
    assert scores.dtype == np.float32


def test_items_outside_the_table_are_refused() -> None:
    with pytest.raises(ValueError, match="30"):
        NeighbourSums.of(table(0), np.asarray([ITEMS], np.int32), np.ones(1, np.float32))


def test_a_table_without_neighbours_says_nothing() -> None:
    empty = Neighbours(np.empty((ITEMS, 0), np.int32), np.empty((ITEMS, 0), np.float32))
    sums = NeighbourSums.of(empty, np.asarray([1, 2], np.int32), np.ones(2, np.float32))
    assert sums.values(np.asarray([1, 5], np.int32)).tolist() == [0, 0]
    assert len(sums.best(3, np.ones(ITEMS, np.bool_), np.empty(0, np.int32))[0]) == 0


@given(st.data())
def test_the_largest_part_is_of_the_item_that_adds_most(data) -> None:
    from savor.models.neighbours_kernel import largest_part

    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    item = np.full((8, 4), -1, np.int32)
    weight = np.zeros((8, 4), np.float32)
    for row in range(8):
        count = int(rng.integers(0, 5))
        item[row, :count] = rng.choice(8, count, replace=False)
        weight[row, :count] = np.sort(rng.random(count, np.float32) + np.float32(0.1))[::-1]
    rows = rng.permutation(8)[: int(rng.integers(1, 9))].astype(np.int32)
    factors = rng.random(len(rows), np.float32) + np.float32(0.1)
    found = largest_part(item, weight, rows, factors, np.arange(8, dtype=np.int32))
    for wanted in range(8):
        part = np.where(item[rows] == wanted, weight[rows], 0).max(axis=1) * factors
        assert found[wanted] == rows[int(np.argmax(part))]
