"""One table for both ends: what histories show of an item, and what users' vectors are held against."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.export.int8_rows import Int8Rows

LARGEST_REMAINDER = 1e-3
"""A row is a multiple of another where what is left is at most this share of its length."""

MOST_OTHERS = 0.25
"""Sharing pays while there are at most so many other rows for each item."""


class SharedRows(NamedTuple):
    """A table of embeddings most of whose rows are multiples of items' vectors.

    A sequence model's histories show an item by the embedding that users' vectors are held against, times a number.

    Attributes:
        others: (R, W) int8, the rows that are not, to be put after the items'.
        place: (C,) int32, where each row of the table stands among the items' rows and then the others.
        scales: (C,) float32 of the table's rows.
    """

    others: NDArray[np.int8]
    place: NDArray[np.int32]
    scales: NDArray[np.float32]


def share(
    table: NDArray[np.float32], vectors: NDArray[np.float32], rows: Int8Rows, codes: NDArray[np.int32]
) -> SharedRows | None:
    """How `table` can do with the items' rows; None where that saves nothing.

    Args:
        table: (C, W) of embeddings by code.
        vectors: (I, D) of the items.
        rows: the same in 8 bits.
        codes: (I,) of the items, those outside the table belonging to another one.
    """
    if table.shape[1] != vectors.shape[1] or codes.max(initial=0) >= len(table):
        return None
    own = table[codes]
    squares = np.maximum((vectors * vectors).sum(axis=1), np.float32(1e-12))
    factor = (own * vectors).sum(axis=1) / squares
    left = np.linalg.norm(own - factor[:, None] * vectors, axis=1)
    same = (factor > 0) & (left <= LARGEST_REMAINDER * np.maximum(np.linalg.norm(own, axis=1), 1e-12))
    place = np.full(len(table), -1, np.int32)
    scales = np.zeros(len(table), np.float32)
    items = np.flatnonzero(same)
    place[codes[items]] = items
    scales[codes[items]] = (factor[items] * rows.scales[items]).astype(np.float16)
    rest = np.flatnonzero(place < 0)
    if len(rest) > MOST_OTHERS * len(vectors):
        return None
    others = Int8Rows.of(table[rest])
    place[rest] = len(vectors) + np.arange(len(rest), dtype=np.int32)
    scales[rest] = others.scales
    return SharedRows(others.numbers, place, scales)
