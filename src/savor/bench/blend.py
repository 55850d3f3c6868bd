"""Several models' lists made into one, by weights chosen on validation."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from savor.core.config import Section
from savor.evaluation.hits import hits_of_lists
from savor.evaluation.holdout import Holdout
from savor.evaluation.metrics import accuracy
from savor.models.ranked import Ranked

METRIC = "ndcg@10"
_STEPS = 10
_BLOCK = 1024
_STEP_DOWN = np.float32(0.1)
"""How far an item that is not listed stands below the last that is, in standard deviations of the list."""


class BlendParams(Section):
    """`params` of the kind `blend`."""

    members: tuple[str, ...] = Field(min_length=2, description="Names of the models, which must have run before it.")


def blend(lists: Sequence[Ranked], weights: Sequence[float], number_of_items: int, k: int) -> Ranked:
    """The k items with the highest weighted sum of standard scores.

    Scores are standardised within each list, as members' scales differ; an item that a list leaves out stands
    a little below the list's last.

    Args:
        lists: of each member, for the same users in the same order.
        weights: one for each member.
        number_of_items: size of the catalogue.
        k: length of the lists made.
    """
    parts = []
    for first in range(0, len(lists[0]), _BLOCK):
        rows = slice(first, first + _BLOCK)
        total = np.zeros((len(lists[0].items[rows]), number_of_items + 1), np.float32)
        listed = np.zeros(total.shape, np.bool_)
        for one, weight in zip(lists, weights, strict=True):
            # The column after the last is where empty places go.
            items = np.where(one.items[rows] >= 0, one.items[rows], number_of_items)
            standard = _standard(one.scores[rows])
            below = standard.min(axis=1, keepdims=True) - _STEP_DOWN
            added = np.repeat(below, total.shape[1], axis=1)
            np.put_along_axis(added, items, standard, axis=1)
            np.put_along_axis(listed, items, np.True_, axis=1)
            total += np.float32(weight) * added
        total[~listed] = -np.inf
        parts.append(Ranked.from_scores(np.ascontiguousarray(total[:, :-1]), k))
    return Ranked.concatenate(parts, k)


def best_weights(lists: Sequence[Ranked], holdout: Holdout) -> tuple[tuple[float, ...], float]:
    """The weights, in tenths that sum to 1, with the highest NDCG@10 on `holdout`, and that NDCG."""
    counts = holdout.relevant_counts

    def measured(weights: tuple[float, ...]) -> float:
        ranked = blend(lists, weights, holdout.number_of_items, 10)
        hits = hits_of_lists(ranked.items, holdout.indptr, holdout.items, ranked.scores)
        return float(accuracy(hits, counts, (10,))[METRIC].mean())

    values = {weights: measured(weights) for weights in _grid(len(lists))}
    best = max(values, key=lambda weights: values[weights])
    return best, values[best]


def _grid(members: int) -> Iterator[tuple[float, ...]]:
    for parts in product(range(_STEPS + 1), repeat=members):
        if sum(parts) == _STEPS:
            yield tuple(part / _STEPS for part in parts)


def _standard(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B, k) of mean 0 and deviation 1 in each row; empty places, which hold minus infinity, as the lowest there is."""
    offered = np.isfinite(scores)
    lowest = np.where(offered, scores, np.inf).min(axis=1, keepdims=True)
    filled = np.where(offered, scores, np.where(np.isfinite(lowest), lowest, 0))
    deviation = filled.std(axis=1, keepdims=True)
    return np.asarray((filled - filled.mean(axis=1, keepdims=True)) / np.maximum(deviation, 1e-9), np.float32)
