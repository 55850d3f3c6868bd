"""What users have had before, to be left out."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


def mask_seen(scores: NDArray[np.float32], seen: sp.csr_matrix) -> None:
    """Set the scores of seen items to minus infinity, in place.

    Args:
        scores: (B, N) float32.
        seen: (B, N) sparse; whatever is stored counts as seen.
    """
    rows = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr))
    scores[rows, seen.indices] = -np.inf


def top_of_sparse(scores: sp.csr_matrix, k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The k largest stored, positive scores of each row, ties by lower column.

    Args:
        scores: (B, N) sparse float32.
        k: length of the lists.

    Returns:
        (B, k) int32 columns, -1 padded, and (B, k) float32 scores, padded with minus infinity.
    """
    number_of_rows = scores.shape[0]
    items = np.full((number_of_rows, k), -1, np.int32)
    values = np.full((number_of_rows, k), -np.inf, np.float32)
    row = np.repeat(np.arange(number_of_rows), np.diff(scores.indptr))
    kept = scores.data > 0
    row, column, value = row[kept], scores.indices[kept], scores.data[kept]
    order = np.lexsort((column, -value, row))
    row, column, value = row[order], column[order], value[order]
    starts = np.searchsorted(row, np.arange(number_of_rows))
    place = np.arange(len(row)) - starts[row]
    top = place < k
    items[row[top], place[top]] = column[top]
    values[row[top], place[top]] = value[top]
    return items, values
