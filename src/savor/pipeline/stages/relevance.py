"""Adjuster: what the moment asks for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class Relevance:
    """(1 - w) merit + w match: match is the best of what the sources of the moment say.

    What searches and likeness say is a share or a cosine as it is; co-purchase weights are taken over the largest.

    Args:
        sources: their names.
        weight: w, 0 to 1; `weights["relevance"]` of a query takes its place.
    """

    name = "relevance"
    reads = frozenset({"score"})
    writes = frozenset[str]()
    required = False

    def __init__(self, sources: Sequence[str], weight: float) -> None:
        self._columns, self._weight = tuple((f"{name}_score", name == "together") for name in sources), weight

    def adjust(
        self,
        query: Query,
        hydrated: Hydrated,  # noqa: ARG002
        candidates: Candidates,
        merit: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """(N,) float64."""
        match = np.zeros(len(candidates))
        for name, scaled in self._columns:
            score = np.nan_to_num(candidates.columns[name].astype(np.float64), nan=0.0)
            largest = float(score.max(initial=0.0)) if scaled else 1.0
            if largest > 0:
                np.maximum(match, np.minimum(score / largest, 1), out=match)
        weight = query.weights.get("relevance", self._weight)
        return (1 - weight) * merit + weight * match
