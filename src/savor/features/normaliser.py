"""Numbers on one scale, for networks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.core.errors import BundleError

LARGEST = 5.0
"""Normalised numbers are kept between minus and plus this."""


@dataclass(frozen=True)
class Normaliser:
    """`sign(x) log(1 + |x|)`, standardised; a missing number is 0, and a flag beside it says so.

    Attributes:
        mean, scale: (F,) float32 of the transformed known numbers.
        flagged: (M,) int64, the columns in which numbers were missing.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    flagged: NDArray[np.int64]

    @classmethod
    def fit(cls, numbers: NDArray[np.float32]) -> Self:
        """Fit to (N, F) float32, NaN where missing."""
        known = np.isfinite(numbers)
        squeezed = np.where(known, _squeeze(numbers), 0).astype(np.float32)
        count = np.maximum(known.sum(axis=0), 1)
        mean = squeezed.sum(axis=0, dtype=np.float64) / count
        variance = np.square(squeezed, dtype=np.float64).sum(axis=0) / count - mean**2
        scale = np.sqrt(np.maximum(variance, 0))
        scale[scale < 1e-6] = 1
        return cls(mean.astype(np.float32), scale.astype(np.float32), np.flatnonzero(~known.all(axis=0)))

    @property
    def width(self) -> int:
        """Columns of what `transform` gives: F + M."""
        return len(self.mean) + len(self.flagged)

    def transform(self, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, F) float32, NaN where missing, to (N, F + M) float32: the numbers, then a 1 for each that is missing."""
        missing = ~np.isfinite(numbers)
        scaled = np.clip((_squeeze(numbers) - self.mean) / self.scale, -LARGEST, LARGEST)
        scaled[missing] = 0
        return np.concatenate([scaled, missing[:, self.flagged]], axis=1, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write a JSON file."""
        document = {name: getattr(self, name).tolist() for name in ("mean", "scale", "flagged")}
        path.write_bytes(orjson.dumps(document))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: the file is absent or damaged.
        """
        try:
            document = orjson.loads(path.read_bytes())
            return cls(
                np.asarray(document["mean"], np.float32),
                np.asarray(document["scale"], np.float32),
                np.asarray(document["flagged"], np.int64),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(f"{path} cannot be read ({error}); publish the bundle again") from None


def _squeeze(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sign(numbers) * np.log1p(np.abs(numbers)), np.float32)
