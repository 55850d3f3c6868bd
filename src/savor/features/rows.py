"""Rows of an encoded table, also those that are not in it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def take_rows(column: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """`column[rows]`, and 0 for rows outside it (a tag or numeric column: a row of zeros)."""
    inside = (rows >= 0) & (rows < len(column))
    if len(column) == 0:
        return np.zeros((*rows.shape, *column.shape[1:]), column.dtype)
    taken = column[np.where(inside, rows, 0)]
    taken[~inside] = 0
    return taken
