"""Scores before fairness: brought to one scale, dampened by popularity, raised by declared boosts."""

import numpy as np
from numpy.typing import NDArray

_LEAST_SPAN = 1e-9


def in_spans(scores: NDArray[np.float32], n: int) -> NDArray[np.float64]:
    """Scores in units of the span of the best n, the best at 0: boosts then mean the same in every list.

    Args:
        scores: (N,) float32 without NaN.
        n: how many count; at most all.

    Returns:
        (N,) float64, 0 and below.
    """
    if not len(scores):
        return np.empty(0)
    exact = scores.astype(np.float64)
    head = min(max(n, 2), len(exact))
    best = np.partition(exact, len(exact) - head)[len(exact) - head :]
    scaled: NDArray[np.float64] = (exact - best.max()) / max(float(best.max() - best.min()), _LEAST_SPAN)
    return scaled


def dampened(scores: NDArray[np.float64], popularity: NDArray[np.float32], strength: float) -> NDArray[np.float64]:
    """Scores less a part that grows with the logarithm of popularity: score - strength * log(1 + p) / log(1 + max p).

    For scores that are log probabilities this is division by a power of popularity (Steck, "Item popularity and
    recommendation accuracy", RecSys 2011).

    Args:
        scores: (N,) float64.
        popularity: (N,) float32, 0 or more, of the same items.
        strength: how far the most popular of them is moved down.
    """
    most = float(popularity.max(initial=0.0))
    if not strength or most <= 0:
        return scores
    lowered: NDArray[np.float64] = scores - strength * np.log1p(popularity.astype(np.float64)) / np.log1p(most)
    return lowered


def boosted(
    scores: NDArray[np.float64], members: NDArray[np.bool_], boosts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Scores plus the boosts of all groups an item is in.

    Ordering by them maximises (sum over places of weight * score) + (sum over groups of boost * exposure), by the
    rearrangement inequality, so that no other list has as much exposure for the groups at less loss of score.

    Args:
        scores: (N,) float64.
        members: (G, N) bool.
        boosts: (G,) float64.
    """
    raised: NDArray[np.float64] = scores + boosts @ members
    return raised
