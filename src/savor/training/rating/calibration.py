"""From what a model says to what can be believed."""

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Calibration:
    """A rising, piecewise linear map of predictions, fitted on ratings that the model has not seen.

    Attributes:
        given: (K,) float64, rising: predictions.
        meant: (K,) float64, not falling: the ratings they stand for; in between it is a straight line, outside it is
            the nearest.
    """

    given: NDArray[np.float64]
    meant: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        kind: Literal["none", "clip", "isotonic"],
        predicted: NDArray[np.float32],
        rating: NDArray[np.float32],
        steps: int = 40,
    ) -> Self:
        """Fit to N predictions and ratings.

        Args:
            kind: `clip` keeps predictions within the least and the largest rating; `isotonic` is the least-squares
                rising function of the predictions (pool adjacent violators, Barlow et al. 1972) at `steps` places.
            predicted: (N,).
            rating: (N,).
            steps: groups of equal size that predictions are put in before.
        """
        low, high = float(rating.min()), float(rating.max())
        if kind == "none":
            ends = np.array([-1e9, 1e9])
            return cls(ends, ends)
        if kind == "clip":
            ends = np.array([low, high])
            return cls(ends, ends)
        order = np.argsort(predicted, kind="stable")
        groups = [group for group in np.array_split(order, min(steps, len(order))) if len(group)]
        given = np.array([predicted[group].mean(dtype=np.float64) for group in groups])
        meant = isotonic(
            np.array([rating[group].mean(dtype=np.float64) for group in groups]),
            np.array([len(group) for group in groups], np.float64),
        )
        distinct = np.append(True, np.diff(given) > 0)
        return cls(given[distinct], meant[distinct])

    def apply(self, predicted: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,) float32 to (N,) float32."""
        return np.interp(predicted, self.given, self.meant).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return {"given": self.given.tolist(), "meant": self.meant.tolist()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(np.asarray(value["given"], np.float64), np.asarray(value["meant"], np.float64))


def isotonic(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K,) the rising sequence nearest to `values` in weighted squares (pool adjacent violators)."""
    means: list[float] = []
    masses: list[float] = []
    counts: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        means.append(value)
        masses.append(weight)
        counts.append(1)
        while len(means) > 1 and means[-2] >= means[-1]:
            mass = masses[-2] + masses[-1]
            means[-2:] = [(means[-2] * masses[-2] + means[-1] * masses[-1]) / mass]
            masses[-2:] = [mass]
            counts[-2:] = [counts[-2] + counts[-1]]
    return np.repeat(means, counts)
