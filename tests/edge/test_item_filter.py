import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.pipeline.item_filter import FilterError, ItemFilter
from savor_edge import EdgeError
from savor_edge.catalogue import EdgeCatalogue
from savor_edge.item_filter import matching

FIELDS = ["department", "aisle", "category", "labels", "grams", "price", "in_stock", "owner", "nothing"]
OPERATORS = ["eq", "in", "not_in", "exists", "lt", "lte", "gt", "gte", "like"]
ONE = st.one_of(
    st.sampled_from(["dairy", "fruit 2", "organic", "vegan", "", 3, 5, True]), st.floats(-10, 1e39), st.none()
)
VALUES = st.one_of(ONE, st.lists(ONE, max_size=3), st.booleans())
CONDITIONS = st.dictionaries(
    st.sampled_from(FIELDS), st.dictionaries(st.sampled_from(OPERATORS), VALUES, max_size=2), max_size=3
)


@given(CONDITIONS)
def test_a_filter_means_what_it_means_on_the_server(edge_shop, conditions):
    catalogue = EdgeCatalogue.open(edge_shop.folder)
    expected, made = on_server(conditions, edge_shop.catalogue), on_device(conditions, catalogue)
    assert made == expected


def on_server(conditions, catalogue):
    try:
        parsed = ItemFilter.parse(conditions, catalogue)
    except FilterError as refused:
        return str(refused), refused.code
    return [True] * 60 if parsed is None else parsed.matches(slice(None)).tolist()


def on_device(conditions, catalogue):
    try:
        return matching(conditions, catalogue).tolist()
    except EdgeError as refused:
        return str(refused), refused.code


@pytest.mark.parametrize(
    ("conditions", "number"),
    [({"category": {"in": ["dairy"]}}, 15), ({"labels": {"eq": "organic"}}, 20), ({"in_stock": {"eq": False}}, 1)],
)
def test_known_answers(edge_shop, conditions, number):
    assert int(matching(conditions, EdgeCatalogue.open(edge_shop.folder)).sum()) == number


def test_too_many_fields_are_refused(edge_shop):
    with pytest.raises(EdgeError, match="33 fields"):
        matching({str(field): {} for field in range(33)}, EdgeCatalogue.open(edge_shop.folder))
