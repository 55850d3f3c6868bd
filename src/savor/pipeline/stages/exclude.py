"""Filter: what the caller does not want."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class Exclude:
    """Takes out `query.exclude`, and the items of basket and page."""

    name = "exclude"
    reads = frozenset({"item", "context_items"})
    writes = frozenset[str]()
    required = True

    def keep(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.bool_]:
        """(N,) bool."""
        unwanted = np.concatenate([query.exclude, hydrated["context_items"]])
        if not len(unwanted):
            return np.ones(len(candidates), np.bool_)
        return np.isin(candidates.item, unwanted, invert=True)
