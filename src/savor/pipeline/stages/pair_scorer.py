"""Ranker: a network over the ids of user and item alone."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from savor.features.feature_space import FeatureSpace
from savor.features.pair_codes import pair_codes_of_one
from savor.features.table_encoder import Inputs
from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class CodeScorer(Protocol):
    """Scores pairs by their codes."""

    @property
    def codes(self) -> Sequence[str]:
        """Names of the inputs."""

    def score(self, codes: Inputs) -> NDArray[np.float32]:
        """(N,) int32 by name to (N,) float32."""


class PairScorer:
    """Scores every candidate with the user's code and its own, in one call.

    Args:
        space: makes the codes.
        scorer: scores them.
    """

    name = "ranker"
    reads = frozenset({"profile", "item"})
    writes = frozenset({"score"})
    required = False

    def __init__(self, space: FeatureSpace, scorer: CodeScorer) -> None:
        self._space, self._scorer = space, scorer

    def rank(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.float32]:  # noqa: ARG002
        """(N,) float32."""
        codes = pair_codes_of_one(self._space, self._scorer.codes, hydrated["profile"], candidates.item)
        return np.asarray(self._scorer.score(codes), np.float32)
