"""A figure and how far chance may have moved it."""

import math
from typing import NamedTuple


class Estimate(NamedTuple):
    """A figure with the variance of its error; NaN and infinite where nothing is known.

    Attributes:
        value: of an asymptotically normal estimator.
        variance: of the estimator, not of single users.
    """

    value: float
    variance: float

    @property
    def known(self) -> bool:
        """Whether there is anything to go by: a spread of 0 says that too little was seen."""
        return math.isfinite(self.value) and 0 < self.variance < math.inf

    def minus(self, other: "Estimate", factor: float = 1.0) -> "Estimate":
        """`self - factor * other`, of independent users."""
        return Estimate(self.value - factor * other.value, self.variance + factor * factor * other.variance)

    def over(self, other: "Estimate") -> "Estimate":
        """`self / other - 1`, by the delta method; unknown where `other` is 0."""
        if not (self.known and other.known) or other.value == 0:
            return Estimate(math.nan, math.inf)
        ratio = self.value / other.value
        variance = (self.variance + ratio * ratio * other.variance) / (other.value * other.value)
        return Estimate(ratio - 1, variance)
