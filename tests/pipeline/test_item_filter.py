import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn, TagColumn
from savor.pipeline.item_filter import FilterError, ItemFilter

CATALOGUE = Catalogue(
    ["a", "b", "c", "d"],
    ["A", "B", "C", "D"],
    {
        "department": CategoryColumn.from_strings(["dairy", "dairy", "fruit", None]),
        "aisle": CategoryColumn.from_strings(["milk", "cheese", "4", None]),
    },
    {"labels": TagColumn.from_lists([["organic"], ["organic", "vegan"], None, ["vegan"]])},
    {"grams": np.array([100, 200, np.nan, 300], np.float32)},
    np.array([1.5, 5, 9, np.nan], np.float32),
    np.array([True, False, True, True]),
    None,
)


def matched(specification):
    found = ItemFilter.parse(specification, CATALOGUE)
    assert found is not None
    everything = found.matches(slice(None))
    assert everything.dtype == np.bool_
    backwards = found.matches(np.array([3, 2, 1, 0], np.int32))
    assert backwards.tolist() == everything[::-1].tolist()
    return "".join(np.array(CATALOGUE.ids)[everything])


@pytest.mark.parametrize(
    ("specification", "items"),
    [
        ({"department": {"eq": "dairy"}}, "ab"),
        ({"department": {"in": ["fruit", "dairy"]}}, "abc"),
        ({"department": {"not_in": ["dairy"]}}, "cd"),
        ({"department": {"exists": False}}, "d"),
        ({"department": {"eq": "meat"}}, ""),
        ({"aisle": {"eq": 4}}, "c"),
        ({"category": {"in": ["milk", "fruit"]}}, "ac"),
        ({"category": {"not_in": ["milk", "fruit"]}}, "bd"),
        ({"category": {"exists": True}}, "abc"),
        ({"category": {"exists": False}}, "d"),
        ({"labels": {"in": ["vegan"]}}, "bd"),
        ({"labels": {"not_in": ["vegan"]}}, "ac"),
        ({"labels": {"exists": True}}, "abd"),
        ({"labels": {"exists": False}}, "c"),
        ({"price": {"lte": 5}}, "ab"),
        ({"price": {"lt": 5}}, "a"),
        ({"price": {"gte": 5}}, "bc"),
        ({"price": {"gt": 1.5, "lt": 9}}, "b"),
        ({"price": {"eq": 9}}, "c"),
        ({"price": {"in": [1.5, 9]}}, "ac"),
        ({"price": {"not_in": [1.5]}}, "bcd"),
        ({"price": {"exists": False}}, "d"),
        ({"grams": {"gt": 100}}, "bd"),
        ({"in_stock": {"eq": False}}, "b"),
        ({"category": {"in": ["dairy"]}, "price": {"lte": 2}}, "a"),
    ],
)
def test_matches(specification, items):
    assert matched(specification) == items


def test_empty_filter_is_none():
    assert ItemFilter.parse({}, CATALOGUE) is None


def test_every_problem_is_listed():
    with pytest.raises(FilterError) as caught:
        ItemFilter.parse(
            {
                "colour": {"eq": "red"},
                "price": {"lte": "5", "like": 1, "gt": True},
                "department": {"lt": 3, "in": "dairy", "eq": 1.5},
                "grams": 5,
                "aisle": {},
                "in_stock": {"eq": 1},
                "labels": {"in": []},
            },
            CATALOGUE,
        )
    problems = " | ".join(caught.value.problems)
    assert len(caught.value.problems) == 11
    assert "'colour' is not a field of the catalogue; it has department, aisle, labels, grams, price" in problems
    assert "'price': 'lte' takes a number, not str" in problems
    assert "'price': 'like' is not an operator for it; it takes eq, in, not_in, exists, lt" in problems
    assert "'in_stock': 'eq' takes true or false, not int" in problems


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
fields = st.sampled_from(["department", "labels", "price", "grams", "in_stock", "category", "x"])
operators = st.sampled_from(["eq", "in", "not_in", "lt", "lte", "gt", "gte", "exists", "?"])


@given(st.dictionaries(fields, st.dictionaries(operators, anything, max_size=3) | anything, max_size=3))
def test_whatever_comes_it_is_a_mask_or_a_filter_error(specification):
    try:
        found = ItemFilter.parse(specification, CATALOGUE)
    except FilterError:
        return
    assert found is None or found.matches(slice(None)).shape == (4,)
