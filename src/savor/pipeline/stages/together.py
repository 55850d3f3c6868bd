"""Source: what goes with the items of the moment."""

import numpy as np
from numpy.typing import NDArray

from savor.models.neighbours import Neighbours
from savor.pipeline.candidates import Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class Together:
    """Items by the sum of their co-purchase weights with those of basket or page.

    Args:
        neighbours: (I, K) table of what is bought together.
        k: how many to bring.
    """

    name = "together"
    reads = frozenset({"context_items", "eligible"})
    writes = frozenset[str]()
    required = False

    def __init__(self, neighbours: Neighbours, k: int) -> None:
        self._neighbours, self._k = neighbours, k

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores are the sums."""
        rows: NDArray[np.int32] = hydrated["context_items"]
        if not len(rows):
            return Retrieved.empty()
        item, weight = self._neighbours.item[rows].ravel(), self._neighbours.weight[rows].ravel()
        kept = (item >= 0) & hydrated["eligible"][item]
        distinct, place = np.unique(item[kept], return_inverse=True)
        total = np.bincount(place, weights=weight[kept], minlength=len(distinct)).astype(np.float32)
        head = np.lexsort((distinct, -total))[: max(self._k, query.depth)]
        return Retrieved(distinct[head].astype(np.int32), total[head])
