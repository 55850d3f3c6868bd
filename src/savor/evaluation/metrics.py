"""Accuracy of ranked lists, user by user."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import SavorError

ACCURACY = ("recall", "recall_min", "precision", "hr", "ndcg", "map", "mrr")
"""The names of what `accuracy` measures."""


def accuracy(
    hits: NDArray[np.bool_], relevant_counts: NDArray[np.int64], cutoffs: Sequence[int]
) -> dict[str, NDArray[np.float64]]:
    """Every accuracy metric at every cutoff k.

    With h_r = 1 where place r (from 1) is right and n relevant items:

    - recall@k = Σ h_r / n
    - recall_min@k = Σ h_r / min(k, n)
    - precision@k = Σ h_r / k; a list shorter than k is not forgiven
    - hr@k = 1 if any h_r
    - ndcg@k = Σ h_r / log2(r + 1), over the same sum for the first min(k, n) places (Järvelin and Kekäläinen, 2002)
    - map@k = Σ h_r · precision@r / n (average precision, cut at k, as trec_eval's map_cut)
    - mrr@k = 1 / the first r with h_r; 0 without one

    Args:
        hits: (Q, K) bool, from `hits_of_lists` or `hits_of_ranks`.
        relevant_counts: (Q,) how many items are relevant, at least 1.
        cutoffs: each from 1 to K.

    Returns:
        `{"recall@10": (Q,) float64 in [0, 1], …}`.

    Raises:
        SavorError: a cutoff is longer than the lists, or a user has nothing relevant.
    """
    width = hits.shape[1]
    if any(not 1 <= k <= width for k in cutoffs):
        raise SavorError(f"cutoffs must be from 1 to {width}, the length of the lists; got {list(cutoffs)}")
    if np.any(relevant_counts < 1):
        raise SavorError("every user of a holdout must have a relevant item; leave the others out")
    places = np.arange(1, width + 1)
    discount = 1 / np.log2(places + 1)
    found = np.cumsum(hits, axis=1)
    gain = np.cumsum(hits * discount, axis=1)
    ideal = np.cumsum(discount)
    average = np.cumsum(hits * found / places, axis=1)
    first = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, width + 1)
    values: dict[str, NDArray[np.float64]] = {}
    for k in cutoffs:
        at, least = k - 1, np.minimum(k, relevant_counts)
        values[f"recall@{k}"] = found[:, at] / relevant_counts
        values[f"recall_min@{k}"] = found[:, at] / least
        values[f"precision@{k}"] = found[:, at] / k
        values[f"hr@{k}"] = (found[:, at] > 0).astype(np.float64)
        values[f"ndcg@{k}"] = gain[:, at] / ideal[least - 1]
        values[f"map@{k}"] = average[:, at] / relevant_counts
        values[f"mrr@{k}"] = np.where(first <= k, 1 / first, 0.0)
    return values
