"""The Plackett-Luce distribution over orders.

Items are drawn one after the other without replacement, each with probability proportional to e^logit among those left
(Plackett, "The analysis of permutations", 1975). The order is that of N exponential clocks with rates e^logit.
"""

import numpy as np
from numpy.typing import NDArray

_STEP = 0.125
_LEAST_LOG_TIME = -18.0
_MOST_LOG_TIME = 4.0
_DEEPEST = 16.0


def _clipped(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits with the largest at 0 and none below -16: nothing is rarer than 1e-7, and sums stay exact."""
    clipped: NDArray[np.float64] = np.maximum(logits - logits.max(), -_DEEPEST)
    return clipped


def draw_order(logits: NDArray[np.float64], n: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """The first n of an order drawn by Plackett-Luce.

    Gumbel noise added to the logits and sorted (Yellott, "The relationship between Luce's choice axiom, Thurstone's
    theory, and the double exponential distribution", 1977).

    Args:
        logits: (N,) float64, finite; what lies more than 16 below the largest counts as 16 below.
        n: at most N.
        generator: of the noise.

    Returns:
        (n,) intp, positions among the logits.
    """
    noisy = _clipped(logits) + generator.gumbel(size=len(logits))
    return np.argsort(-noisy, kind="stable")[:n]


def place_probabilities(logits: NDArray[np.float64], items: NDArray[np.intp], places: int) -> NDArray[np.float64]:
    """How probable it is that each of `items` comes at each of the first places.

    With clocks of rates w, item i comes at place p when p others have rung before it does:
    the integral over t of w_i e^(-w_i t) P(exactly p of the others rang by t). How many rang is Poisson-binomial, found
    by convolution; the integral is a trapezoid sum over log t, which converges exponentially for such integrands.

    Args:
        logits: (N,) float64, as for `draw_order`.
        items: (M,) positions among the logits.
        places: P, at most N.

    Returns:
        (M, P) float64, off by less than 1e-6.
    """
    logits = _clipped(logits)
    rates = np.exp(logits)
    longest = _MOST_LOG_TIME - float(logits.min())
    log_time = np.arange(_LEAST_LOG_TIME - np.log(len(logits)), longest, _STEP)
    time = np.exp(log_time)
    rung = -np.expm1(-rates[:, None] * time)  # (N, T)
    counts = np.zeros((places + 1, len(items), len(time)))  # of the others that rang, up to `places`
    counts[0] = 1
    for other in range(len(logits)):
        chance = np.where((items == other)[:, None], 0.0, rung[other])
        counts[1:] += chance * (counts[:-1] - counts[1:])
        counts[0] *= 1 - chance
    own = rates[items][:, None]
    density = own * time * np.exp(-own * time) * _STEP
    probabilities: NDArray[np.float64] = np.einsum("pmt,mt->mp", counts[:places], density)
    return probabilities
