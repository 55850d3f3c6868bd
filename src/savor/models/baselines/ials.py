"""Matrix factorisation for implicit feedback."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from threadpoolctl import threadpool_limits

from savor.core.config import Section
from savor.core.errors import MissingDependencyError
from savor.data.events import Events
from savor.models.baselines.seen import mask_seen
from savor.models.interactions import interactions
from savor.models.ranked import Ranked

_BLOCK = 128


class IalsParams(Section):
    """Size and weights of the factorisation."""

    factors: int = Field(64, ge=1, description="Length of the vectors.")
    regularisation: float = Field(0.1, gt=0, description="Weight of the squared norms.")
    alpha: float = Field(1.0, gt=0, description="Weight of what happened, against all that did not.")
    iterations: int = Field(10, ge=1, description="Passes over users and items.")
    weighting: Literal["binary", "count", "log"] = Field(
        "log", description="What a user's events with an item count as."
    )
    half_life_days: float | None = Field(None, gt=0, description="Decay of events by age; absent: age is ignored.")


class Ials:
    """Implicit alternating least squares, as in the package `implicit`, with a fixed seed.

    Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", 2008.

    Args:
        params: size and weights.
        threads: used for training; 0 means all.
        seed: of the first vectors.
    """

    name = "ials"

    def __init__(self, params: IalsParams | None = None, *, threads: int = 0, seed: int = 0) -> None:
        self.params = params or IalsParams()
        self._threads = threads
        self._seed = seed

    @staticmethod
    def grid(mode: Literal["quick", "full"]) -> list[IalsParams]:
        """What is worth trying."""
        if mode == "quick":
            return [IalsParams(alpha=alpha) for alpha in (1, 10)]
        return [
            IalsParams(
                factors=factors, alpha=alpha, regularisation=regularisation, iterations=15, half_life_days=half_life
            )
            for factors in (64, 128)
            for alpha in (1, 10, 40)
            for regularisation in (0.01, 0.1, 1)
            for half_life in (None, 91)
        ]

    def fit(self, events: Events, number_of_users: int, number_of_items: int, now: int) -> None:
        """See `Recommender.fit`.

        Raises:
            MissingDependencyError: `implicit` is not installed.
        """
        try:
            from implicit.cpu.als import AlternatingLeastSquares
        except ImportError:
            raise MissingDependencyError("implicit", "train") from None
        matrix = interactions(
            events,
            number_of_users,
            number_of_items,
            weighting=self.params.weighting,
            half_life_days=self.params.half_life_days,
            now=now,
        )
        self._columns = np.unique(matrix.indices).astype(np.int32)
        self._matrix = matrix[:, self._columns]
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=self.params.factors,
                regularization=self.params.regularisation,
                alpha=self.params.alpha,
                iterations=self.params.iterations,
                num_threads=self._threads,
                random_state=self._seed,
            )
            model.fit(self._matrix, show_progress=False)
        self._user_vectors = np.asarray(model.user_factors, np.float32)
        self._item_vectors = np.asarray(model.item_factors, np.float32)

    def recommend(self, users: NDArray[np.int32], k: int, *, exclude_seen: bool) -> Ranked:
        """See `Recommender.recommend`."""
        parts = []
        for start in range(0, len(users), _BLOCK):
            block = users[start : start + _BLOCK]
            scores = self._user_vectors[block] @ self._item_vectors.T
            seen = self._matrix[block]
            scores[np.diff(seen.indptr) == 0] = -np.inf
            if exclude_seen:
                mask_seen(scores, seen)
            parts.append(Ranked.from_scores(scores, k, self._columns))
        return Ranked.concatenate(parts, k)
