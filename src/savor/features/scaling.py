"""Numbers on one scale, with a flag where they are missing."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

SKEWED = 1.0
"""From this sample skewness on, columns without negative numbers are put through log(1 + x) first."""

LIMIT = 5.0
"""Scaled values are clipped to plus or minus this many standard deviations."""


@dataclass(frozen=True)
class Scaler:
    """Standardises one numeric column.

    Attributes:
        logarithm: whether log(1 + max(x, 0)) is taken first.
        mean, deviation: of the fitted values after that; deviation is positive.
    """

    logarithm: bool
    mean: float
    deviation: float

    @classmethod
    def fit(cls, values: NDArray[np.float32]) -> Self:
        """Fit on (N,) values; NaN and infinities are left out, and without any value the scale is 0 to 1."""
        known = np.asarray(values, np.float64)
        known = known[np.isfinite(known)]
        if len(known) == 0:
            return cls(False, 0.0, 1.0)
        centred = known - known.mean()
        spread = float(centred.std())
        skewness = float((centred**3).mean()) / spread**3 if spread > 0 else 0.0
        logarithm = bool(known.min() >= 0 and skewness > SKEWED)
        if logarithm:
            known = np.log1p(known)
        deviation = float(known.std())
        return cls(logarithm, float(known.mean()), deviation if deviation > 1e-12 else 1.0)

    def transform(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,) values to (N, 2) float32: the scaled value (0 where missing) and 1 where missing."""
        exact = np.asarray(values, np.float64)
        missing = ~np.isfinite(exact)
        exact = np.where(missing, 0.0, exact)
        if self.logarithm:
            exact = np.log1p(np.maximum(exact, 0.0))
        scaled = np.clip((exact - self.mean) / self.deviation, -LIMIT, LIMIT)
        return np.stack([np.where(missing, 0.0, scaled), missing], axis=1).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(**value)
