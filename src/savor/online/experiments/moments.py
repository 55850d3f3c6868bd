"""What is enough to know of a variant to say how sure one is of a ratio of two sums over its users."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.online.experiments.estimate import Estimate

_ROUNDING = 1e-12
"""Share of a sum of squares that may be left by rounding where all users are alike."""


class Moments(NamedTuple):
    """Sums over n users of a numerator x, a denominator y and their products; they add up, and SQL can give them."""

    n: float
    x: float
    y: float
    xx: float
    xy: float
    yy: float

    @classmethod
    def of(cls, numerator: NDArray[np.float64], denominator: NDArray[np.float64] | None = None) -> "Moments":
        """Of (n,) float64 columns; no denominator is 1 for each user."""
        x = numerator
        y = np.ones_like(x) if denominator is None else denominator
        return cls(float(len(x)), float(x.sum()), float(y.sum()), float(x @ x), float(x @ y), float(y @ y))

    def ratio(self) -> Estimate:
        """Sum of x over sum of y, with its variance by the delta method: Var(x - r y) / (n mean(y)^2).

        Deng, Knoblich and Lu, "Applying the delta method in metric analytics", KDD 2018. With y = 1 it is the variance
        of a mean. Nothing is known (infinite variance) where there are fewer than two users or y is 0.
        """
        if self.n < 2 or self.y <= 0:
            return Estimate(np.nan, np.inf)
        value = self.x / self.y
        squares = self.xx - 2 * value * self.xy + value * value * self.yy
        squares = squares if squares > _ROUNDING * self.xx else 0.0
        return Estimate(value, self.n / (self.n - 1) * squares / (self.y * self.y))
