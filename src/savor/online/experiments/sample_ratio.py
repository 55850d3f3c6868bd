"""Whether users came to the variants in the proportions they should."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from savor.online.chi_square import chi_square_tail

CONCENTRATIONS = (100.0, 10_000.0)
"""Of the alternatives, mixed evenly: shares that are off by about five in a hundred, and by five in a thousand."""

MISMATCH = 0.001
"""Most false alarms of `SampleRatio.mismatch`, over all looks together."""


class SampleRatio(NamedTuple):
    """What was counted against what was meant.

    Attributes:
        counts: users by variant.
        shares: by variant, summing to 1.
        p: holds at every look.
        p_once: of Pearson's chi-square test; holds at one look only.
    """

    counts: tuple[int, ...]
    shares: tuple[float, ...]
    p: float
    p_once: float

    @property
    def mismatch(self) -> bool:
        """Whether the results cannot be trusted."""
        return self.p < MISMATCH


def sample_ratio(counts: Sequence[int], shares: Sequence[float]) -> SampleRatio:
    """Test the numbers of users.

    The p that holds at every look is one over the Bayes factor of Dirichlet-multinomials, with mean at `shares`,
    against the multinomial (Lindon and Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022).

    Args:
        counts: distinct users by variant, each counted once.
        shares: the share each variant should have; 0 or more, in any unit. One with share 0 must have nobody.
    """
    if len(counts) != len(shares) or not shares or min(shares) < 0 or sum(shares) <= 0:
        raise ValueError(f"one share of 0 or more for each count is needed, got {shares} for {counts}")
    total = sum(counts)
    parts = tuple(share / sum(shares) for share in shares)
    if any(count and not part for count, part in zip(counts, parts, strict=True)):
        return SampleRatio(tuple(counts), parts, 0.0, 0.0)
    both = [(count, part) for count, part in zip(counts, parts, strict=True) if part]
    factors = [_log_factor(both, total, concentration) for concentration in CONCENTRATIONS]
    largest = max(factors)
    mixed = largest + math.log(sum(math.exp(factor - largest) for factor in factors) / len(factors))
    p = math.exp(-max(0.0, mixed))
    if len(both) < 2 or not total:
        return SampleRatio(tuple(counts), parts, p, 1.0)
    statistic = sum((count - total * part) ** 2 / (total * part) for count, part in both)
    return SampleRatio(tuple(counts), parts, p, chi_square_tail(statistic, len(both) - 1))


def _log_factor(both: Sequence[tuple[int, float]], total: int, concentration: float) -> float:
    """The log of the Bayes factor, from counts and shares above 0."""
    factor = math.lgamma(concentration) - math.lgamma(concentration + total)
    for count, part in both:
        factor += math.lgamma(concentration * part + count) - math.lgamma(concentration * part)
        factor -= count * math.log(part)
    return factor
