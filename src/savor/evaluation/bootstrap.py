"""How sure one can be of a mean over users."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
"""How many resamples an interval takes unless told otherwise."""

_ROWS_PER_BLOCK = 50
_GROUPS = 20
_NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Interval:
    """A figure and the bounds of its 95% interval; NaN where it cannot be said."""

    mean: float
    low: float
    high: float

    def as_json(self) -> dict[str, float | None]:
        """`{"mean", "low", "high"}` with null for NaN."""
        return {
            name: None if np.isnan(value) else float(value)
            for name, value in (("mean", self.mean), ("low", self.low), ("high", self.high))
        }


class Bootstrap:
    """Resamples of Q users, the same ones for everything that is compared.

    Intervals are percentiles over the resamples (Efron and Tibshirani, "An introduction to the bootstrap", 1993).

    Args:
        number_of_users: Q.
        resamples: how many.
        seed: of the draws.
    """

    def __init__(self, number_of_users: int, *, resamples: int = RESAMPLES, seed: int = 0) -> None:
        self._size = number_of_users
        self._resamples = resamples
        self._seed = seed

    def intervals(self, values: NDArray[np.float64]) -> list[Interval]:
        """Means with their intervals.

        Args:
            values: (Q, M) float64, one column a metric; NaN where a user has no value, left out of its mean.

        Returns:
            M intervals.
        """
        if not self._size:
            return [Interval(np.nan, np.nan, np.nan)] * values.shape[1]
        there = ~np.isnan(values)
        filled = np.where(there, values, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = filled.sum(axis=0) / there.sum(axis=0)
            draws = np.concatenate(
                [(weights @ filled) / (weights @ there.astype(np.float64)) for weights in self._weights()]
            )
        empty = ~there.any(axis=0)
        draws[:, empty] = 0
        low, high = np.nanpercentile(draws, (2.5, 97.5), axis=0)
        low[empty] = high[empty] = np.nan
        return [Interval(*map(float, bounds)) for bounds in zip(means, low, high, strict=True)]

    def differences(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> list[Interval]:
        """Paired differences `first - second` of two (Q, M) arrays over the same users, with intervals."""
        return self.intervals(first - second)

    def ratio(self, numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> Interval:
        """The sum of one (Q,) array over the sum of another, both of the same users, with its interval."""
        draws = np.concatenate([(weights @ numerator) / (weights @ denominator) for weights in self._weights()])
        low, high = np.percentile(draws, (2.5, 97.5))
        return Interval(float(numerator.sum() / denominator.sum()), float(low), float(high))

    def _weights(self) -> Iterator[NDArray[np.float64]]:
        """Blocks of (rows, Q): how often each user stands in each resample."""
        generator = np.random.default_rng(self._seed)
        for start in range(0, self._resamples, _ROWS_PER_BLOCK):
            rows = min(_ROWS_PER_BLOCK, self._resamples - start)
            drawn = generator.integers(0, self._size, (rows, self._size))
            drawn += np.arange(rows)[:, None] * self._size
            counts = np.bincount(drawn.ravel(), minlength=rows * self._size)
            yield counts.reshape(rows, self._size).astype(np.float64)


def jackknife(statistic: Callable[[NDArray[np.int32]], float], items: NDArray[np.int32], *, seed: int = 0) -> Interval:
    """A figure of all lists together (coverage, Gini), with a normal interval.

    The interval comes from leaving out 20 groups of users in turn. Resampling with replacement would bias such figures:
    a resample holds only 63% of the lists.

    Args:
        statistic: of (Q', k) lists.
        items: (Q, k) int32 lists.
        seed: of the grouping.
    """
    figure = statistic(items)
    if len(items) < _GROUPS:
        return Interval(figure, np.nan, np.nan)
    group = np.random.default_rng(seed).permutation(len(items)) % _GROUPS
    left_out = np.array([statistic(items[group != number]) for number in range(_GROUPS)])
    variance = (_GROUPS - 1) / _GROUPS * ((left_out - left_out.mean()) ** 2).sum()
    half = _NORMAL_95 * float(np.sqrt(variance))
    return Interval(figure, max(0.0, figure - half), min(1.0, figure + half))
