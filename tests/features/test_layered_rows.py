import pytest

from savor.features.layered_rows import LayeredRows

ROWS = LayeredRows({"a": 0, "b": 1}, {"c": 2}, frozenset({"b", "never there"}))


def test_what_was_added_is_there_and_what_was_removed_is_not():
    assert ROWS["a"] == 0
    assert ROWS["c"] == 2
    assert ROWS.get("b") is None
    assert ROWS.get("b", 7) == 7
    assert "b" not in ROWS
    assert "a" in ROWS
    assert "d" not in ROWS
    assert list(ROWS) == ["a", "c"]
    assert len(ROWS) == 2
    with pytest.raises(KeyError):
        ROWS["b"]


def test_row_nought_is_a_row():
    assert ROWS.get("a", 5) == 0
