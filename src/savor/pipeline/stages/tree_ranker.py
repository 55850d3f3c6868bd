"""Ranker: cross features and boosted trees."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import History
from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class RankingFeatures(Protocol):
    """Makes the feature matrix; `savor.features.cross.CrossFeatures` does."""

    @property
    def names(self) -> Sequence[str]:
        """F names, in the order of the columns of the matrix."""

    @property
    def source_columns(self) -> Sequence[str]:
        """S names of candidate columns, like `ann_score` and `ann_rank`."""

    def compute(
        self, history: History, items: NDArray[np.int32], sources: NDArray[np.float32], now: int
    ) -> NDArray[np.float32]:
        """(N,) rows and (N, S) source columns, NaN where absent, to (N, F) float32."""


class Scorer(Protocol):
    """Scores rows of features."""

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, F) float32 to (N,) float32."""

    def contributions(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, F) float32 to (N, F + 1) float32; a row adds up to its score."""


class Contribution(NamedTuple):
    """What one feature with this `value` (None where unknown) adds to a score."""

    name: str
    value: float | None
    contribution: float


class TreeRanker:
    """Scores with one model, or with another when only new items are wanted.

    Args:
        features: makes the rows.
        every: scorer of the usual scenario.
        new: scorer for `query.exclude_seen`; without it `every` does both.
        absent: source columns that nothing in this pipeline writes; they are NaN.
    """

    name = "ranker"
    writes = frozenset({"score"})
    required = False

    def __init__(
        self,
        features: RankingFeatures,
        every: Scorer,
        new: Scorer | None = None,
        absent: frozenset[str] = frozenset(),
    ) -> None:
        self._features, self._every, self._new, self._absent = features, every, new or every, absent

    @property
    def reads(self) -> frozenset[str]:
        """The history and the source columns that the features cross."""
        return frozenset({"history", "item"}) | (frozenset(self._features.source_columns) - self._absent)

    @property
    def features(self) -> RankingFeatures:
        """What makes the rows."""
        return self._features

    def rank(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.float32]:
        """(N,) float32."""
        matrix = feature_matrix(self._features, query, hydrated, candidates)
        return self._scorer(query).score(matrix)

    def strongest(
        self, query: Query, hydrated: Hydrated, candidates: Candidates, most: int
    ) -> list[list[Contribution]]:
        """For each candidate, up to `most` features that moved its score furthest; slow, for explanations only."""
        matrix = feature_matrix(self._features, query, hydrated, candidates)
        added = self._scorer(query).contributions(matrix)[:, :-1]
        names = self._features.names
        found = []
        for values, row in zip(matrix, added, strict=True):
            places = np.argsort(-np.abs(row), kind="stable")[:most]
            found.append(
                [
                    Contribution(names[at], float(values[at]) if np.isfinite(values[at]) else None, float(row[at]))
                    for at in places.tolist()
                    if row[at]
                ]
            )
        return found

    def _scorer(self, query: Query) -> Scorer:
        return self._new if query.exclude_seen else self._every


def feature_matrix(
    features: RankingFeatures, query: Query, hydrated: Hydrated, candidates: Candidates
) -> NDArray[np.float32]:
    """What the ranker sees, in training as in serving.

    Args:
        features: makes the rows.
        query: gives the moment.
        hydrated: gives the history.
        candidates: N rows; source columns they do not have are NaN.

    Returns:
        (N, F) float32.
    """
    sources = np.full((len(candidates), len(features.source_columns)), np.nan, np.float32)
    for position, name in enumerate(features.source_columns):
        if name in candidates.columns:
            sources[:, position] = candidates.columns[name]
    return features.compute(hydrated["history"], candidates.item, sources, query.now)
