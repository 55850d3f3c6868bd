from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.pipeline.agreement import agreement

LISTS = st.lists(st.sampled_from("abcdefghijkl"), unique=True, max_size=12)


def test_known_answers():
    assert agreement("abcd", "abcd", 10) == (1, 1, 1, 1)
    assert agreement("abcd", "dcba", 10) == (1, -1, -1, 0)
    found = agreement("abcd", "bacd", 10)
    assert found.kendall == pytest.approx(4 / 6)
    assert found.spearman == pytest.approx(0.8)
    found = agreement("abxy", "abzw", 4)
    assert found.overlap == 0.5
    assert found.same_first == 1
    assert agreement("abcdef", "fedcba", 3).overlap == 0
    nothing = agreement("ab", "cd", 10)
    assert nothing.overlap == 0
    assert isnan(nothing.kendall)
    assert agreement("", "", 10).overlap == 1
    assert agreement("", "ab", 10).overlap == 0


@given(LISTS, LISTS)
def test_it_is_the_same_from_both_sides_and_within_bounds(first, second):
    one, other = agreement(first, second, 10), agreement(second, first, 10)
    assert one.overlap == other.overlap
    assert one.kendall == pytest.approx(other.kendall, nan_ok=True)
    assert one.spearman == pytest.approx(other.spearman, nan_ok=True)
    assert 0 <= one.overlap <= 1
    assert isnan(one.kendall) or -1 <= one.kendall <= 1
    assert isnan(one.spearman) or -1.0000001 <= one.spearman <= 1.0000001


@given(LISTS)
def test_a_list_agrees_with_itself(items):
    found = agreement(items, items, 10)
    assert found.overlap == found.same_first == 1
