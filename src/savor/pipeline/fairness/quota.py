"""Least shares of the exposure of one list."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.fairness.deadline import by_deadline
from savor.pipeline.fairness.exposure import exposure_shares, place_weights

_ROUNDS = 8
_SLACK = 1e-12
_NUDGE = 1e-9


def falling(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions by falling score, ties in the order they came."""
    return np.argsort(-scores, kind="stable")


def least_boost(scores: NDArray[np.float64], member: NDArray[np.bool_], n: int, share: float) -> float | None:
    """The smallest number that, added to the scores of a group, gives it its share of the best n; it wins ties.

    The group's exposure only rises with the number, and only where a member comes level with another item; so the
    smallest is a difference of two scores, found by bisection over those that matter, n^2 at most.

    Args:
        scores: (N,) float64.
        member: (N,) bool.
        n: length of the list.
        share: of the exposure by `place_weights`.

    Returns:
        0 or more; None where the group has too few items for its share, however high they stand.
    """
    n = min(n, len(scores))
    weights = place_weights(n)
    own = np.sort(scores[member])[::-1][:n]
    others = np.sort(scores[~member])[::-1][:n]

    gaps = others[None, :] - own[:, None]  # what member i needs to come level with other j

    def exposure(boost: float) -> float:
        place = np.arange(len(own)) + (gaps > boost).sum(axis=1)
        return float(weights[place[place < n]].sum())

    if exposure(0.0) >= share - _SLACK:
        return 0.0
    if weights[: len(own)].sum() < share - _SLACK:
        return None
    steps = np.unique(gaps[gaps >= 0])
    low, high = 0, len(steps) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if exposure(float(steps[middle])) >= share - _SLACK else (middle + 1, high)
    return float(steps[low])


def quota_order(
    scores: NDArray[np.float64], members: NDArray[np.bool_], shares: NDArray[np.float64], n: int
) -> NDArray[np.intp]:
    """The order in which every group gets its share of the first n, with little loss of score.

    A group that is short is raised by the smallest boost that gives it its share; no other order gives it as much
    exposure at less loss. Where several groups push each other out, `by_deadline` orders them. With one group its share
    is met whenever any order meets it; with several, whenever giving each place to the group that lacks most does.
    `exposure_shares` says what became of it.

    Args:
        scores: (N,) float64.
        members: (G, N) bool; groups may overlap.
        shares: (G,) float64, of the exposure by `place_weights`.
        n: length of the list.

    Returns:
        (N,) intp, all positions. Items that belong to the same groups keep their order by score.
    """
    order = falling(scores)
    raised, groups = scores[order], members[:, order]
    nudge = _NUDGE * max(float(raised.max() - raised.min()), 1.0) if len(raised) else 0.0
    kept = np.arange(len(order))
    for _ in range(_ROUNDS):
        missing = shares - exposure_shares(groups, kept, n)
        short = np.flatnonzero((missing > _SLACK) & groups.any(axis=1))
        if not len(short):
            return order[kept]
        worst = short[np.argmax(missing[short])]
        boost = least_boost(raised, groups[worst], n, float(shares[worst]))
        if boost is None:
            boost = float(raised.max() - raised[groups[worst]].min())
        raised = raised + (boost + nudge) * groups[worst]
        kept = falling(raised)
    positions: NDArray[np.intp] = order[by_deadline(groups, shares, n)]
    return positions
