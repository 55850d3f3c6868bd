"""Intervals and p-values that hold at every look, however often one looks and whatever makes one stop.

An estimate with variance v has information I = 1 / v. Estimates made from more and more users, times their information,
move like a Brownian motion in information time with drift theta (Jennison and Turnbull, "Group sequential methods",
2000, chapter 11). Mixing over a normal prior of standard deviation s for theta gives the likelihood ratio against
theta_0

    L = sqrt(h / (h + I)) exp((value - theta_0)^2 I^2 / (2 (h + I))),  h = 1 / s^2,

a non-negative martingale of mean 1 under theta_0, which ever reaches 1 / alpha with probability at most alpha (Ville).
Solved for theta_0 this is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
"Time-uniform central limit theory and asymptotic confidence sequences", theorem 2.2, with rho^2 = s^2 / variance of one
user; as a test it is the mixture sequential probability ratio test (Johari, Pekelis and Walsh, "Always valid
inference", 2022). It is sharpest when an effect of about s can just be found.
"""

import math
from typing import NamedTuple

from savor.online.experiments.estimate import Estimate


class Interval(NamedTuple):
    """A figure and bounds for it; infinite where nothing is known yet."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float | None]:
        """`{"value", "low", "high"}` with null for what is not finite."""
        return {name: value if math.isfinite(value) else None for name, value in self._asdict().items()}


def always_valid_interval(estimate: Estimate, scale: float, alpha: float) -> Interval:
    """A confidence sequence: it holds the truth at all looks together with probability 1 - alpha, asymptotically.

    Args:
        estimate: as of this look.
        scale: s, the size of effect it is sharpest for, in the units of the estimate; fixed beforehand.
        alpha: the chance of ever missing the truth.
    """
    if not (estimate.known and scale > 0 and math.isfinite(scale)):
        return Interval(estimate.value, -math.inf, math.inf)
    information, prior = 1 / estimate.variance, 1 / (scale * scale)
    total = information + prior
    half = math.sqrt(total * math.log(total / (prior * alpha * alpha))) / information
    return Interval(estimate.value, estimate.value - half, estimate.value + half)


def always_valid_p(estimate: Estimate, scale: float, null: float = 0.0) -> float:
    """1 / L as above, at most 1: below alpha at any look with probability at most alpha where `null` is the truth.

    The least of all looks so far may be quoted as well. Arguments as for `always_valid_interval`.
    """
    if not (estimate.known and scale > 0 and math.isfinite(scale)):
        return 1.0
    information, prior = 1 / estimate.variance, 1 / (scale * scale)
    total = information + prior
    distance = (estimate.value - null) * information
    return min(1.0, math.exp(0.5 * (math.log(total / prior) - distance * distance / total)))
