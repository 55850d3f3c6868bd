"""Filter: what the caller does not want."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class Exclude:
    """Takes out `query.exclude`."""

    name = "exclude"
    reads = frozenset({"item"})
    writes = frozenset[str]()
    required = True

    def keep(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.bool_]:  # noqa: ARG002
        """(N,) bool."""
        if not len(query.exclude):
            return np.ones(len(candidates), np.bool_)
        return np.isin(candidates.item, query.exclude, invert=True)
