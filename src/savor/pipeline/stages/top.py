"""Selector: the first n."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class Top:
    """Keeps the first n in the order that selectors before it gave; at first that is by score."""

    name = "top"
    reads = frozenset({"item", "score"})
    writes = frozenset[str]()
    required = True

    def select(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.intp]:  # noqa: ARG002
        """At most n positions."""
        return np.arange(min(query.n, len(candidates)))
