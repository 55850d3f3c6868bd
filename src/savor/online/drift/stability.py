"""The population stability index, and how large it gets by chance."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.online.chi_square import chi_square_quantile

_PRIOR = 0.5


class Stability(NamedTuple):
    """One distribution against another.

    Attributes:
        psi: the index; by custom, below .1 is no change and above .25 a large one.
        bound: what chance alone exceeds with probability `tail`; infinite where nothing was seen.
        n: independent observations of the live side.
        alarm: whether `psi` is above both the threshold and the bound.
    """

    psi: float
    bound: float
    n: float
    alarm: bool

    def as_json(self) -> dict[str, Any]:
        """JSON values; null for an infinite bound."""
        return {**self._asdict(), "bound": self.bound if np.isfinite(self.bound) else None}


def population_stability(
    reference: NDArray[np.int64] | NDArray[np.float64], live: NDArray[np.int64] | NDArray[np.float64]
) -> float:
    """PSI = sum over bins of (q - p) ln(q / p), for reference shares p and live shares q.

    Siddiqi, "Credit risk scorecards", 2006. It is the symmetrised Kullback-Leibler divergence. Half a count is added to
    each bin (Jeffreys), so that an empty bin is finite.

    Args:
        reference: (B,) counts of independent observations.
        live: (B,) counts of independent observations.
    """
    p, q = reference + _PRIOR, live + _PRIOR
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def stability(
    reference: NDArray[np.int64],
    live: NDArray[np.int64],
    *,
    reference_n: float,
    live_n: float,
    threshold: float,
    tail: float,
) -> Stability:
    """Compare two histograms.

    Where nothing changed, PSI is about (1 / N + 1 / n) times chi-square with B - 1 degrees of freedom (Yurdakul and
    Naranjo, "Statistical properties of the population stability index", Journal of Risk Model Validation, 2020).

    Args:
        reference: (B,) int64 counts.
        live: (B,) int64 counts.
        reference_n: how many of the reference's observations are independent.
        live_n: how many of the live ones are; the values of one request count as one.
        threshold: least PSI that matters.
        tail: chance of exceeding the bound where nothing changed.
    """
    if live_n <= 0 or reference_n <= 0:
        return Stability(0.0, float("inf"), live_n, False)
    psi = population_stability(_independent(reference, reference_n), _independent(live, live_n))
    used = int(np.count_nonzero(reference + live))
    chance = chi_square_quantile(tail, used - 1) * (1 / reference_n + 1 / live_n) if used > 1 else 0.0
    return Stability(psi, chance, live_n, psi > max(threshold, chance))


def _independent(counts: NDArray[np.int64], n: float) -> NDArray[np.float64]:
    """(B,) float64 counts in the same shares that add up to at most `n`; else half a count would be too little."""
    total = float(counts.sum())
    return np.asarray(counts * (min(1.0, n / total) if total else 1.0), np.float64)
