"""Filter: what items must be like."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class StructuredFilter:
    """Keeps what `query.filter` matches."""

    name = "structured_filter"
    reads = frozenset({"item"})
    writes = frozenset[str]()
    required = True

    def keep(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.bool_]:  # noqa: ARG002
        """(N,) bool."""
        if query.filter is None:
            return np.ones(len(candidates), np.bool_)
        return query.filter.matches(candidates.item)
