"""The chi-square distribution for whole degrees of freedom, without SciPy, which servers do not carry."""

import math
from functools import lru_cache

_HALVINGS = 200


def chi_square_tail(value: float, degrees: int) -> float:
    """P(X >= value) for a chi-square X with `degrees` >= 1 degrees of freedom.

    The regularised upper gamma function Q(k/2, x/2) by its recurrence Q(a + 1, x) = Q(a, x) + x^a e^-x / Gamma(a + 1)
    from Q(1/2, x) = erfc(sqrt(x)) or Q(1, x) = e^-x (Abramowitz and Stegun, 1964, 6.5.21).
    """
    if degrees < 1:
        raise ValueError(f"degrees of freedom must be 1 or more, got {degrees}")
    if value <= 0:
        return 1.0
    half = value / 2
    order = 0.5 if degrees % 2 else 1.0
    tail = math.erfc(math.sqrt(half)) if degrees % 2 else math.exp(-half)
    while order < degrees / 2:
        tail += math.exp(order * math.log(half) - half - math.lgamma(order + 1))
        order += 1
    return min(1.0, tail)


@lru_cache(maxsize=256)
def chi_square_quantile(tail: float, degrees: int) -> float:
    """The value that a chi-square variable with `degrees` degrees of freedom reaches with probability `tail`."""
    if not 0 < tail < 1:
        raise ValueError(f"a tail probability lies between 0 and 1, got {tail}")
    low, high = 0.0, 1.0
    while chi_square_tail(high, degrees) > tail:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if chi_square_tail(middle, degrees) > tail else (low, middle)
    return high
