"""Filter: what can be had."""

import numpy as np
from numpy.typing import NDArray

from savor.features.catalogue import Catalogue
from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class InStock:
    """Keeps items in stock."""

    name = "in_stock"
    reads = frozenset({"item"})
    writes = frozenset[str]()
    required = True

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def keep(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.bool_]:  # noqa: ARG002
        """(N,) bool."""
        return self._catalogue.in_stock[candidates.item]
