"""Source: what the user had before."""

from savor.pipeline.candidates import Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated
from savor.pipeline.stages.own_items import OwnItems


class BuyAgain:
    """The k own items with the largest decayed weight; nothing when seen items are excluded."""

    name = "buy_again"
    reads = frozenset({"own_items", "eligible"})
    writes = frozenset[str]()
    required = False

    def __init__(self, k: int) -> None:
        self._k = k

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores are decayed counts."""
        own: OwnItems = hydrated["own_items"]
        if query.exclude_seen or not len(own):
            return Retrieved.empty()
        rows = own.strongest(len(own))
        rows = rows[hydrated["eligible"][own.item[rows]]][: max(self._k, query.depth)]
        return Retrieved(own.item[rows], own.weight[rows])
