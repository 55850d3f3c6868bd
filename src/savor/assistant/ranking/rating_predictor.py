"""Ratings by the likelihoods of the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.assistant.providers.provider import Provider
from savor.assistant.ranking.wording import Wording


@dataclass(frozen=True)
class RatingScale:
    """From what a model expects to what people give: `offset + slope * expected`, within the ratings there are.

    A language model knows the order of ratings better than their scale.
    """

    offset: float
    slope: float
    low: float
    high: float

    @classmethod
    def fit(cls, expected: NDArray[np.float64], rating: NDArray[np.float64], low: float, high: float) -> "RatingScale":
        """Least squares over (N,) pairs; a constant where there are less than two, or where nothing varies."""
        if len(expected) < 2 or float(np.ptp(expected)) == 0.0:
            return cls(float(rating.mean()) if len(rating) else (low + high) / 2, 0.0, low, high)
        slope, offset = np.polyfit(expected, rating, 1)
        return cls(float(offset), float(slope), low, high)

    def apply(self, expected: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) float64."""
        return np.clip(self.offset + self.slope * expected, self.low, self.high)


class RatingPredictor:
    """Σ r p(r) / Σ p(r) over the ratings r, where p is what the model holds of r as the next word.

    Args:
        provider: one with likelihoods.
        ratings: that there are, rising.
        wording: of the prompt.
        most_past: only so many of the latest ratings are told.
    """

    def __init__(
        self,
        provider: Provider,
        ratings: Sequence[float] = (1, 2, 3, 4, 5),
        wording: Wording | None = None,
        most_past: int = 12,
    ) -> None:
        self.ratings = np.asarray(ratings, np.float64)
        self._provider, self._answers = provider, [f"{rating:g}" for rating in ratings]
        self._wording, self._most = wording or Wording(), most_past

    def probabilities(
        self, past: Sequence[tuple[str, float]], names: Sequence[str], *, deadline: float
    ) -> NDArray[np.float64]:
        """(N, R) float64, rows that sum to 1: how somebody would rate N things.

        Args:
            past: what they rated, name and rating, oldest first.
            names: of the things.
            deadline: moment of `time.monotonic()`.

        Raises:
            ProviderError: as `Provider.likelihoods`.
        """
        made = np.zeros((len(names), len(self.ratings)))
        told = past[-self._most :]
        for row, name in enumerate(names):
            found = self._provider.likelihoods(self._wording.rated(told, name), self._answers, deadline=deadline)
            weights = np.exp(found.log_probability - found.log_probability.max())
            made[row] = weights / weights.sum()
        return made

    def expected(
        self, past: Sequence[tuple[str, float]], names: Sequence[str], *, deadline: float
    ) -> NDArray[np.float64]:
        """(N,) float64, the mean of `probabilities`; arguments and errors as there."""
        return self.probabilities(past, names, deadline=deadline) @ self.ratings
