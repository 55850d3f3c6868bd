"""Filter: what the user had before, where only new items are wanted."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class ExcludeSeen:
    """Takes out every item of the history when `query.exclude_seen` is set."""

    name = "exclude_seen"
    reads = frozenset({"item", "history"})
    writes = frozenset[str]()
    required = True

    def keep(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.bool_]:
        """(N,) bool."""
        if not query.exclude_seen:
            return np.ones(len(candidates), np.bool_)
        return np.isin(candidates.item, hydrated["history"].item, invert=True)
