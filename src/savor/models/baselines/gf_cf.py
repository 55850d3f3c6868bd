"""Graph filters in closed form: a linear and an ideal low-pass filter, and sharpening after them."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from threadpoolctl import threadpool_limits

from savor.core.config import Section
from savor.data.events import Events
from savor.models.baselines.item_graph import ItemGraph, Signal
from savor.models.baselines.seen import mask_seen
from savor.models.interactions import interactions
from savor.models.ranked import Ranked

_BLOCK = 256


class GfCfParams(Section):
    """What the filters let through."""

    dimension: int = Field(256, ge=1, description="How many of the smoothest frequencies the ideal filter keeps.")
    ideal: float = Field(0.3, ge=0, description="α, the weight of the ideal low-pass filter beside the linear one.")
    sharpening: float = Field(
        0.0, ge=0, description="How long the result is sharpened, as time of the inverse heat equation; 0: not at all."
    )


class GfCf:
    """GF-CF (Shen et al., "How powerful is graph convolution for recommendation?", 2021), and BSPM after it.

    With R̃ the normalised matrix and P = R̃ᵀR̃, a user with items r scores s = P r + α D_I^½ V Vᵀ D_I^-½ r. With
    `sharpening` T > 0, s is then taken along ds/dt = -P s for the time T in one step of the fourth-order Runge-Kutta
    method, which is the polynomial Σ (-T P)^n / n! up to n = 4 (Choi et al., "Blurring-sharpening process models for
    collaborative filtering", 2023, early merge).

    No matrix of items by items is made: memory is that of the events, the singular vectors and a block of users.

    Args:
        params: of the filters.
        threads: of the linear algebra; absent: as many as it likes.
    """

    name = "gf_cf"

    def __init__(self, params: GfCfParams | None = None, *, threads: int | None = None) -> None:
        self.params = params or GfCfParams()
        self._threads = threads

    @staticmethod
    def grid(mode: Literal["quick", "full"]) -> list[GfCfParams]:
        """What is worth trying."""
        if mode == "quick":
            return [GfCfParams(), GfCfParams(ideal=0.2, sharpening=2.5)]
        return [
            GfCfParams(dimension=dimension, ideal=ideal, sharpening=sharpening)
            for dimension in (128, 256, 512)
            for ideal in (0.1, 0.2, 0.3)
            for sharpening in (0, 1.5, 2.5)
        ]

    def fit(self, events: Events, number_of_users: int, number_of_items: int, now: int) -> None:  # noqa: ARG002
        """See `Recommender.fit`."""
        seen = interactions(events, number_of_users, number_of_items)
        self._columns = np.unique(seen.indices).astype(np.int32)
        self._matrix = seen[:, self._columns]
        with threadpool_limits(self._threads, "blas"):
            self._graph = ItemGraph(self._matrix, self.params.dimension)

    def recommend(self, users: NDArray[np.int32], k: int, *, exclude_seen: bool) -> Ranked:
        """See `Recommender.recommend`."""
        parts = []
        for start in range(0, len(users), _BLOCK):
            query = self._matrix[users[start : start + _BLOCK]]
            with threadpool_limits(self._threads, "blas"):
                scores = np.ascontiguousarray(self._filtered(np.ascontiguousarray(query.toarray().T)).T)
            scores[np.diff(query.indptr) == 0] = -np.inf
            if exclude_seen:
                mask_seen(scores, query)
            parts.append(Ranked.from_scores(scores, k, self._columns))
        return Ranked.concatenate(parts, k)

    def _filtered(self, signal: Signal) -> Signal:
        graph, time = self._graph, np.float32(self.params.sharpening)
        result = graph.smooth(signal)
        if self.params.ideal:
            result += np.float32(self.params.ideal) * graph.low_pass(signal)
        if not time:
            return result
        term = result
        for order in range(1, 5):
            term = graph.smooth(term) * (-time / np.float32(order))
            result = result + term
        return result
