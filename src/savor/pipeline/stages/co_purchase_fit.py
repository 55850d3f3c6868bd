"""Enricher: how well every candidate goes with the user's own items."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated
from savor.pipeline.stages.co_purchase import CoPurchase


class CoPurchaseFit:
    """The co-purchase score of each candidate, also of own items and of those that the source did not bring.

    Args:
        source: whose scores they are.
    """

    name = "co_purchase_fit"
    reads = frozenset({"own_items"})
    writes = frozenset({"co_purchase_fit"})
    required = False

    def __init__(self, source: CoPurchase) -> None:
        self._source = source

    def enrich(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.float32]:  # noqa: ARG002
        """(N,) float32, 0 where nothing speaks for the item."""
        return self._source.sums(hydrated["own_items"]).values(candidates.item)
