"""How near the words of items are to the words of what somebody had: needs no training, and no event of an item."""

import numpy as np
from numpy.typing import NDArray

SHARPNESS = 16.0
"""By how much the nearest words count more than words that are only of the kind."""

_COLUMNS = 1024


def text_affinity(
    weights: NDArray[np.float32], had: NDArray[np.float32], words: NDArray[np.float32], sharpness: float = SHARPNESS
) -> NDArray[np.float32]:
    """Σ_h weight_h · exp(sharpness · (cos(had_h, words_n) - 1)), for every person and item.

    A person with several interests has one sum, in which each item is judged by what is nearest to it; the mean of the
    vectors would lie between the interests, where nothing is.

    Args:
        weights: (B, H) float32, dense or a SciPy sparse matrix: how much of h each of B persons had.
        had: (H, W) float32 vectors of length 1, of what was had.
        words: (N, W) float32 likewise, of the items to judge; zeros for those without words.
        sharpness: above 0.

    Returns:
        (B, N) float32, 0 for items without words.
    """
    found = np.empty((weights.shape[0], len(words)), np.float32)
    for start in range(0, len(words), _COLUMNS):
        part = words[start : start + _COLUMNS]
        near = had @ part.T
        near -= 1
        near *= sharpness
        np.exp(near, out=near)
        near[:, ~part.any(axis=1)] = 0
        found[:, start : start + len(part)] = weights @ near
    return found
