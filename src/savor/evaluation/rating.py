"""How good predicted ratings are, and how sure one can be of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.evaluation.bootstrap import RESAMPLES, Bootstrap, Interval

METRICS = ("rmse", "mae", "calibration_error")


@dataclass(frozen=True)
class CalibrationBin:
    """Ratings whose predictions lie together.

    Attributes:
        predicted, observed: mean of the predictions and of the ratings.
        number: how many there are.
    """

    predicted: float
    observed: float
    number: int


def rating_figures(
    user: NDArray[np.int32],
    rating: NDArray[np.float32],
    predicted: NDArray[np.float32],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Interval]:
    """`rmse`, `mae` and `calibration_error` of N predictions, in the unit of the ratings.

    Intervals are over users, as the ratings of one user are alike; every rating counts the same in the figure itself.
    The calibration error is the mean gap between predicted and observed mean over ten bins of equal size (its interval
    is not given: NaN).

    Args:
        user: (N,) who rated.
        rating: (N,).
        predicted: (N,).
        resamples: of the bootstrap.
        seed: of its draws.
    """
    _, row = np.unique(user, return_inverse=True)
    gap = np.asarray(rating, np.float64) - np.asarray(predicted, np.float64)
    count = np.bincount(row).astype(np.float64)
    bootstrap = Bootstrap(len(count), resamples=resamples, seed=seed)
    squares = bootstrap.ratio(_sums(row, gap * gap), count)
    bins = rating_calibration(rating, predicted)
    error = sum(abs(one.predicted - one.observed) * one.number for one in bins) / max(len(gap), 1)
    return {
        "rmse": Interval(float(np.sqrt(squares.mean)), float(np.sqrt(squares.low)), float(np.sqrt(squares.high))),
        "mae": bootstrap.ratio(_sums(row, np.abs(gap)), count),
        "calibration_error": Interval(float(error), np.nan, np.nan),
    }


def rating_calibration(
    rating: NDArray[np.float32], predicted: NDArray[np.float32], bins: int = 10
) -> list[CalibrationBin]:
    """N predictions in up to `bins` groups of equal size, by rising prediction."""
    groups = np.array_split(np.argsort(predicted, kind="stable"), bins)
    return [
        CalibrationBin(
            float(predicted[group].mean(dtype=np.float64)), float(rating[group].mean(dtype=np.float64)), len(group)
        )
        for group in groups
        if len(group)
    ]


def _sums(row: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of `values` by row."""
    return np.bincount(row, weights=values).astype(np.float64)
