"""How alike two lists are."""

from collections.abc import Sequence
from math import nan
from typing import NamedTuple

import numpy as np

_LONGEST = 200


class Agreement(NamedTuple):
    """Two lists compared.

    Attributes:
        overlap: share of the first k that both have, 0 to 1.
        kendall: Kendall's tau of the items that both have, -1 to 1; NaN where they are fewer than two.
        spearman: Spearman's rho of the same.
        same_first: 1 where both begin with the same item, else 0.
    """

    overlap: float
    kendall: float
    spearman: float
    same_first: float


def agreement(first: Sequence[str], second: Sequence[str], k: int) -> Agreement:
    """Compare two lists of distinct items, best first; orders are compared over the first 200 of each.

    Args:
        first: one list.
        second: the other.
        k: how many of each count for the overlap. Where both are shorter, the longer one's length does.
    """
    width = min(k, max(len(first), len(second)))
    if not width:
        return Agreement(1.0, nan, nan, 1.0)
    overlap = len({*first[:k]} & {*second[:k]}) / width
    same_first = float(bool(first) and bool(second) and first[0] == second[0])
    place = {item: rank for rank, item in enumerate(second[:_LONGEST])}
    ranks = np.asarray([place[item] for item in first[:_LONGEST] if item in place])
    number = len(ranks)
    if number < 2:
        return Agreement(overlap, nan, nan, same_first)
    pairs = np.sign(ranks[None, :] - ranks[:, None])[np.triu_indices(number, 1)]
    ordered = np.argsort(np.argsort(ranks))
    differences = ordered - np.arange(number)
    spearman = 1 - 6 * float(differences @ differences) / (number * (number * number - 1))
    return Agreement(overlap, float(pairs.mean()), spearman, same_first)
