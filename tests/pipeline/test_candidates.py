import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from savor.pipeline.candidates import Candidates, Retrieved

NAMES = ("one", "two", "three")


def brought(*items):
    return Retrieved(np.array(items, np.int32), -np.arange(len(items), dtype=np.float32))


def test_union_with_scores_ranks_and_bits():
    merged = Candidates.merge(NAMES, {"one": brought(5, 2), "three": brought(2, 9)})
    assert merged.item.tolist() == [2, 5, 9]
    assert merged.source.tolist() == [0b101, 0b001, 0b100]
    np.testing.assert_array_equal(merged.columns["one_rank"], [2, 1, np.nan])
    np.testing.assert_array_equal(merged.columns["one_score"], [-1, 0, np.nan])
    np.testing.assert_array_equal(merged.columns["three_rank"], [1, np.nan, 2])
    assert np.isnan(merged.columns["two_rank"]).all()
    assert np.isnan(merged.score).all()


def test_select_and_concatenate():
    merged = Candidates.merge(NAMES, {"one": brought(5, 2, 9)})
    front = merged.select(np.array([2, 0]))
    assert front.item.tolist() == [9, 2]
    assert front.columns["one_rank"].tolist() == [3, 2]
    both = Candidates.concatenate(front, Candidates.unsourced(NAMES, np.array([7], np.int32)))
    assert both.item.tolist() == [9, 2, 7]
    assert both.source.tolist() == [1, 1, 0]
    assert np.isnan(both.columns["one_rank"][2])


item_lists = st.lists(st.integers(0, 50), unique=True, max_size=20)


@given(st.dictionaries(st.sampled_from(NAMES), item_lists))
def test_merge_holds_every_item_once_and_every_rank(lists):
    merged = Candidates.merge(NAMES, {name: brought(*items) for name, items in lists.items()})
    assert merged.item.tolist() == sorted({item for items in lists.values() for item in items})
    for bit, name in enumerate(NAMES):
        ranks = {item: rank for rank, item in enumerate(lists.get(name, []), start=1)}
        for row, item in enumerate(merged.item.tolist()):
            assert bool(merged.source[row] >> bit & 1) == (item in ranks)
            np.testing.assert_equal(float(merged.columns[f"{name}_rank"][row]), float(ranks.get(item, np.nan)))
