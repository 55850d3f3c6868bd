"""Ranker: cross features and a network with several heads."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from savor.features.feature_space import FeatureSpace
from savor.features.pair_codes import pair_codes_of_one
from savor.features.table_encoder import Inputs
from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated
from savor.pipeline.stages.tree_ranker import RankingFeatures, feature_matrix

DEFAULT_WEIGHTS: Mapping[str, float] = {"ctr": 1.0}


class HeadScorer(Protocol):
    """Says several things of a row."""

    @property
    def codes(self) -> Sequence[str]:
        """Names of the inputs beside the features."""

    def heads(self, features: NDArray[np.float32], codes: Inputs | None = None) -> dict[str, NDArray[np.float32]]:
        """(N, F) float32 and codes of N pairs to (N,) float32 by head."""


class NeuralRanker:
    """Scores with the weighted sum of the heads; another network where only new items are wanted.

    Args:
        features: makes the rows.
        every: scorer of the usual use.
        new: scorer for `query.exclude_seen`; without it `every` does both.
        weights: by scenario, then head; a scenario without any takes `DEFAULT_WEIGHTS`. Those of a query go before.
        space: makes codes, where the scorers want any.
        absent: source columns that nothing in this pipeline writes; they are NaN.
    """

    name = "ranker"
    writes = frozenset({"score"})
    required = False

    def __init__(
        self,
        features: RankingFeatures,
        every: HeadScorer,
        new: HeadScorer | None = None,
        weights: Mapping[str, Mapping[str, float]] | None = None,
        space: FeatureSpace | None = None,
        absent: frozenset[str] = frozenset(),
    ) -> None:
        self._features, self._every, self._new = features, every, new or every
        self._weights, self._space, self._absent = weights or {}, space, absent

    @property
    def reads(self) -> frozenset[str]:
        """The history, the profile and the source columns that the features cross."""
        return frozenset({"history", "profile", "item"}) | (frozenset(self._features.source_columns) - self._absent)

    @property
    def features(self) -> RankingFeatures:
        """What makes the rows."""
        return self._features

    def rank(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.float32]:
        """(N,) float32."""
        scorer = self._new if query.exclude_seen else self._every
        matrix = feature_matrix(self._features, query, hydrated, candidates)
        codes: Inputs = {}
        if self._space is not None and scorer.codes:
            codes = pair_codes_of_one(self._space, scorer.codes, hydrated["profile"], candidates.item)
        heads = scorer.heads(matrix, codes)
        weights = dict(self._weights.get(query.scenario) or DEFAULT_WEIGHTS)
        weights.update((head, weight) for head, weight in query.weights.items() if head in heads)
        score = np.zeros(len(candidates), np.float32)
        for head, weight in weights.items():
            score += np.float32(weight) * heads[head]
        return score
