"""Source: what goes with the user's own items."""

import numpy as np

from savor.models.neighbour_sums import NeighbourSums
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
        self._last: tuple[OwnItems, NeighbourSums] | None = None

    def sums(self, own: OwnItems) -> NeighbourSums:
        """The sums above, also for own items; those of the same `own` as last are made once."""
        last = self._last
        if last is not None and last[0] is own:
            return last[1]
        rows = own.strongest(self._own)
        made = NeighbourSums.of(self._neighbours, own.item[rows], own.weight[rows] ** self._power)
        self._last = own, made
        return made

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores are the sums above."""
        own: OwnItems = hydrated["own_items"]
        if not len(own):
            return Retrieved.empty()
        return Retrieved(*self.sums(own).best(max(self._k, query.depth), hydrated["eligible"], own.item))
