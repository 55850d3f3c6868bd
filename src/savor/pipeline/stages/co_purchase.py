"""Source: what goes with the user's own items."""

import numpy as np
from numpy.typing import NDArray

from savor.models.neighbours import Neighbours
from savor.pipeline.candidates import Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated
from savor.pipeline.stages.own_items import OwnItems


class CoPurchase:
    """Items new to the user by the sum of co-purchase weights with the user's strongest items.

    score(j) = sum over own items i of weight(i) ** power * neighbours.weight(i, j).

    Args:
        neighbours: (I, K) table of what is bought together.
        k: how many to bring.
        own: how many of the user's items to start from, those of largest weight.
        power: 0 counts all of them alike.
    """

    name = "co_purchase"
    reads = frozenset({"own_items", "eligible"})
    writes = frozenset[str]()
    required = False

    def __init__(self, neighbours: Neighbours, k: int, own: int, power: float = 1) -> None:
        self._neighbours, self._k, self._own, self._power = neighbours, k, own, np.float32(power)

    def contributions(self, own: OwnItems) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """What each own item gives to which item: (n,) items, repeated, -1 for none, and (n,) weights."""
        rows = own.strongest(self._own)
        item = self._neighbours.item[own.item[rows]].ravel()
        return item, (self._neighbours.weight[own.item[rows]] * own.weight[rows, None] ** self._power).ravel()

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores are the sums above."""
        own: OwnItems = hydrated["own_items"]
        if not len(own):
            return Retrieved.empty()
        item, weight = self.contributions(own)
        allowed = hydrated["eligible"].copy()
        allowed[own.item] = False
        kept = (item >= 0) & allowed[item]
        item, weight = item[kept], weight[kept]
        total = np.zeros(len(allowed), np.float32)
        np.add.at(total, item, weight)
        place = np.empty(len(allowed), np.int32)
        place[item] = np.arange(len(item), dtype=np.int32)
        item = item[place[item] == np.arange(len(item))]
        k = max(self._k, query.n)
        if len(item) > k:
            item = item[np.argpartition(-total[item], k)[:k]]
        item = item[np.lexsort((item, -total[item]))]
        return Retrieved(item, total[item])
