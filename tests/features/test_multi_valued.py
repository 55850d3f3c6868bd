import numpy as np

from savor.features.columns import TagColumn
from savor.features.multi_valued import padded


def test_rows_are_cut_and_padded():
    column = TagColumn.from_lists([["b", "a", "c", "a"], None, ["", "b"]])
    assert column.values == ["", "a", "b", "c"]
    assert padded(column.indptr, column.codes, 2).tolist() == [[1, 2], [0, 0], [2, 0]]
    assert column.of(0) == ["a", "b", "c"]


def test_no_values_at_all():
    assert padded(np.zeros(3, np.int64), np.empty(0, np.int32), 3).tolist() == [[0, 0, 0], [0, 0, 0]]
