"""Source: popular items, for the places that nothing better fills."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated
from savor.pipeline.stages.trending import first_eligible


class Popular:
    """All items in the order of their popularity, those never sold last.

    Args:
        popularity: (I,) float32.
    """

    name = "popular"
    reads = frozenset({"eligible"})
    writes = frozenset[str]()
    required = True

    def __init__(self, popularity: NDArray[np.float32]) -> None:
        self._order = np.argsort(-popularity, kind="stable").astype(np.int32)
        self._popularity = popularity

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """The n most popular eligible items; scores are the popularity."""
        return self.fill(query.n, hydrated, taken=np.empty(0, np.int32))

    def fill(self, count: int, hydrated: Hydrated, *, taken: NDArray[np.int32]) -> Retrieved:
        """The `count` most popular eligible items but those `taken`."""
        eligible: NDArray[np.bool_] = hydrated["eligible"]
        if len(taken):
            eligible = eligible.copy()
            eligible[taken] = False
        item = first_eligible(self._order, eligible, count)
        return Retrieved(item, self._popularity[item])
