"""Which places of a ranked list are right."""

import itertools

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import SavorError


def hits_of_lists(
    items: NDArray[np.int32],
    indptr: NDArray[np.int64],
    relevant: NDArray[np.int32],
    scores: NDArray[np.float32] | None = None,
) -> NDArray[np.bool_]:
    """Compare ranked lists with what is relevant.

    Args:
        items: (Q, k) int32, best first; -1 is an empty place.
        indptr: (Q + 1,) int64, `relevant` items of list q stand at `indptr[q]:indptr[q + 1]`.
        relevant: (R,) int32, distinct within a list.
        scores: (Q, k) the scores behind the lists, falling along a row. Where given, ties count against the model:
            among equal scores the relevant items are moved to the end.

    Returns:
        (Q, k) bool: whether the item at each place is relevant.

    Raises:
        SavorError: the number of lists is wrong, or an item stands twice in a list.
    """
    if len(items) != len(indptr) - 1:
        raise SavorError(f"expected {len(indptr) - 1} ranked lists, one for each user of the holdout, got {len(items)}")
    if not items.size:
        return np.zeros(items.shape, bool)
    ordered = np.sort(items, axis=1)
    if np.any((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)):
        raise SavorError("a ranked list holds the same item twice; every item must stand once")
    width = int(max(items.max(), relevant.max(initial=0))) + 1
    rows = np.arange(len(items), dtype=np.int64)
    right = np.repeat(rows, np.diff(indptr)) * width + relevant
    places = rows[:, None] * width + items
    hits = np.isin(places, right) & (items >= 0)
    if scores is None:
        return hits
    pessimistic = np.lexsort((hits, -np.where(items >= 0, scores, -np.inf)), axis=1)
    return np.take_along_axis(hits, pessimistic, axis=1)


def rank_of_relevant(
    scores: NDArray[np.float32], indptr: NDArray[np.int64], relevant: NDArray[np.int32]
) -> NDArray[np.int64]:
    """The place of each relevant item when the whole catalogue is sorted by score, ties counting against it.

    rank(i) = 1 + #{j: s_j > s_i} + #{j not relevant: s_j = s_i} + #{relevant j before i in the list: s_j = s_i}

    Args:
        scores: (Q, I) full rows of scores; minus infinity for what may not be recommended.
        indptr: (Q + 1,) int64.
        relevant: (R,) int32.

    Returns:
        (R,) int64 from 1; a constant model gives its relevant items the last places.
    """
    ranks = np.empty(len(relevant), np.int64)
    for row, (start, end) in enumerate(itertools.pairwise(indptr)):
        ordered = np.sort(scores[row])
        own = scores[row, relevant[start:end]]
        not_above = np.searchsorted(ordered, own, side="left")
        later = np.triu(own[:, None] == own[None, :], 1).sum(axis=1)
        ranks[start:end] = len(ordered) - not_above - later
    return ranks


def hits_of_ranks(ranks: NDArray[np.int64], indptr: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """(Q, k) bool from the ranks of the relevant items, as `hits_of_lists` would give for the k best."""
    hits = np.zeros((len(indptr) - 1, k), bool)
    row = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    shown = ranks <= k
    hits[row[shown], ranks[shown] - 1] = True
    return hits
