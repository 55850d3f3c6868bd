import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from savor.features.columns import CategoryColumn, Columns, TagColumn

WORDS = st.sampled_from(["", "a", "b", "c", "d"])


@given(st.lists(WORDS, max_size=6), st.data())
def test_changed_categories_say_what_a_column_made_anew_says(values, data):
    rows = len(values) + data.draw(st.integers(0, 3))
    changes = data.draw(st.dictionaries(st.integers(0, rows - 1), WORDS)) if rows else {}
    column = CategoryColumn.from_strings(values)
    changed = column.changed(rows, changes)
    wanted = [changes.get(row, values[row] if row < len(values) else "") for row in range(rows)]
    assert [changed.of(row) for row in range(rows)] == wanted
    assert changed.values[: len(column.values)] == column.values
    assert [column.of(row) for row in range(len(values))] == values


@given(st.lists(st.lists(WORDS, max_size=3), max_size=6), st.data())
def test_changed_tags_say_what_a_column_made_anew_says(lists, data):
    rows = len(lists) + data.draw(st.integers(0, 3))
    changes = data.draw(st.dictionaries(st.integers(0, rows - 1), st.lists(WORDS, max_size=3))) if rows else {}
    changed = TagColumn.from_lists(lists).changed(rows, changes)
    wanted = [changes.get(row, lists[row] if row < len(lists) else []) for row in range(rows)]
    assert [set(changed.of(row)) for row in range(rows)] == [{*words} - {""} for words in wanted]
    for row in range(rows):
        codes = changed.codes[changed.indptr[row] : changed.indptr[row + 1]]
        assert (np.diff(codes) > 0).all()


def test_rows_that_are_taken_have_their_values_and_no_others():
    columns = Columns(
        {"kind": CategoryColumn.from_strings(["x", None, "y", "z"])},
        {"labels": TagColumn.from_lists([["p"], [], ["q", "p"], None])},
        {"grams": np.asarray([1, 2, np.nan, 4], np.float32)},
    )
    taken = columns.take(np.asarray([2, 1], np.int32))
    assert taken.categories["kind"].values == ["", "y"]
    assert [taken.categories["kind"].of(row) for row in range(2)] == ["y", ""]
    assert [taken.tags["labels"].of(row) for row in range(2)] == [["p", "q"], []]
    assert np.array_equal(taken.numerics["grams"], [np.nan, 2], equal_nan=True)
