"""Source: what sells now."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class Trending:
    """The k eligible items with the largest popularity in the recent window.

    Args:
        popularity: (I,) float32; items with 0 are never brought.
        k: how many to bring.
    """

    name = "trending"
    reads = frozenset({"eligible"})
    writes = frozenset[str]()
    required = False

    def __init__(self, popularity: NDArray[np.float32], k: int) -> None:
        order = np.argsort(-popularity, kind="stable").astype(np.int32)
        self._order = order[: np.count_nonzero(popularity > 0)]
        self._popularity, self._k = popularity, k

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores are the popularity."""
        k = max(self._k, query.depth)
        item = first_eligible(self._order, hydrated["eligible"], k)
        return Retrieved(item, self._popularity[item])


def first_eligible(order: NDArray[np.int32], eligible: NDArray[np.bool_], k: int) -> NDArray[np.int32]:
    """The first k items of `order` that are `eligible`, looking only as far as needed."""
    width = 4 * k
    while True:
        head = order[:width]
        found = head[eligible[head]]
        if len(found) >= k or width >= len(order):
            return found[:k]
        width *= 8
