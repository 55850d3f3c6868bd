"""Enricher: how well every candidate fits the user vector."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class VectorFit:
    """The inner product of the user vector and each candidate's, also of candidates the index did not bring.

    Args:
        vectors: (I, D) float32, one row per item.
    """

    name = "vector_fit"
    reads = frozenset({"user_vector"})
    writes = frozenset({"vector_fit"})
    required = False

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors

    def enrich(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.float32]:  # noqa: ARG002
        """(N,) float32."""
        fit: NDArray[np.float32] = self._vectors[candidates.item] @ hydrated["user_vector"]
        return fit
