"""The largest scores of each row, in an order that does not depend on chance."""

import numpy as np
from numpy.typing import NDArray

_GROUPS_PER_CHOSEN = 8


def top_k(scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The positions and values of the k largest scores in each row, best first, ties by lower position.

    The k-th largest of the maxima of disjoint groups is never above the k-th largest score, so one pass of maxima
    leaves few scores to sort.

    Args:
        scores: (B, N) float32; minus infinity marks what may not be chosen. NaN is not allowed.
        k: how many to return; may be larger than N.

    Returns:
        (B, k) int32 positions and (B, k) float32 values. Where a row has fewer than k finite scores the rest is -1 and
        minus infinity.
    """
    rows, width = scores.shape
    positions = np.full((rows, k), -1, np.int32)
    values = np.full((rows, k), -np.inf, np.float32)
    for row in range(rows):
        line = scores[row]
        bound = _bound(line, k) if 0 < k < width else -np.inf
        chosen = np.flatnonzero(line >= bound) if bound > -np.inf else np.flatnonzero(line > -np.inf)
        chosen = chosen[np.argsort(-line[chosen], kind="stable")[:k]]
        positions[row, : len(chosen)] = chosen
        values[row, : len(chosen)] = line[chosen]
    return positions, values


def _bound(line: NDArray[np.float32], k: int) -> float:
    """A value that at least k of `line` reach; minus infinity where that cannot be said cheaply."""
    size = max(1, len(line) // (_GROUPS_PER_CHOSEN * k))
    groups = len(line) // size
    maxima = line[: groups * size].reshape(size, groups).max(axis=0)
    maxima = maxima[maxima > -np.inf]
    if len(maxima) < k:
        return -np.inf
    return float(np.partition(maxima, len(maxima) - k)[len(maxima) - k])
