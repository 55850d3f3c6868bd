"""Columns with several values in one cell, as rows of equal width."""

import numpy as np
from numpy.typing import NDArray


def padded(indptr: NDArray[np.int64], codes: NDArray[np.int32], width: int) -> NDArray[np.int32]:
    """Compressed rows to (N, `width`) int32: the first `width` codes of each row, then zeros.

    Args:
        indptr: (N + 1,) int64 row boundaries in `codes`.
        codes: int32, none of them 0.
        width: how many to keep.
    """
    position = indptr[:-1, None] + np.arange(width)
    present = position < indptr[1:, None]
    if len(codes) == 0:
        return np.zeros(position.shape, np.int32)
    return np.where(present, codes[np.minimum(position, len(codes) - 1)], 0).astype(np.int32)
