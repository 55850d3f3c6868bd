"""How much of the attention for a list each item gets."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=1024)
def place_weights(n: int) -> NDArray[np.float64]:
    """(n,) float64, attention by place, summing to 1: 1 / log2(place + 1), as NDCG discounts.

    Singh and Joachims, "Fairness of exposure in rankings", KDD 2018.
    """
    weights = 1 / np.log2(np.arange(2, n + 2)) if n else np.empty(0)
    weights = weights / weights.sum() if n else weights
    weights.setflags(write=False)
    return weights


def exposure_shares(members: NDArray[np.bool_], order: NDArray[np.intp], n: int) -> NDArray[np.float64]:
    """Share of the exposure of a list that each group gets.

    Args:
        members: (G, N) bool; groups may overlap.
        order: positions among the N, as shown.
        n: length of the list.

    Returns:
        (G,) float64, 0 to 1.
    """
    shown = order[:n]
    shares: NDArray[np.float64] = members[:, shown] @ place_weights(len(shown))
    return shares
