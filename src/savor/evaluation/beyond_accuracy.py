"""What lists are like apart from being right: varied, surprising, fair to the catalogue."""

import numpy as np
from numpy.typing import NDArray


def novelty(items: NDArray[np.int32], users_of_item: NDArray[np.int64], number_of_users: int) -> NDArray[np.float64]:
    """Mean self-information of the items of each list, in bits (Vargas and Castells, 2011).

    -log2((users of the item + 1) / (all users + 1)): 0 for what everybody has had.

    Args:
        items: (Q, k) int32, -1 padded.
        users_of_item: (I,) how many users had each item before.
        number_of_users: how many users there are.

    Returns:
        (Q,) float64; NaN for an empty list.
    """
    bits = np.log2(number_of_users + 1) - np.log2(users_of_item + 1.0)
    return _mean(bits[np.maximum(items, 0)], items >= 0)


def intra_list_diversity(items: NDArray[np.int32], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean of 1 - cosine over the pairs of items of each list (Ziegler et al., 2005).

    Args:
        items: (Q, k) int32, -1 padded.
        vectors: (I, D) float32, any length; a zero vector is unlike everything.

    Returns:
        (Q,) float64 in [0, 2]; NaN for a list with fewer than two items.
    """
    used = items >= 0
    length = np.linalg.norm(vectors, axis=1)
    unit = vectors / np.where(length > 0, length, 1)[:, None]
    chosen = unit[np.maximum(items, 0)] * used[:, :, None]
    total = chosen.sum(axis=1, dtype=np.float64)
    own = (chosen.astype(np.float64) ** 2).sum(axis=(1, 2))
    return _pairwise_distance((total**2).sum(axis=1) - own, used.sum(axis=1))


def category_diversity(items: NDArray[np.int32], category: NDArray[np.int32]) -> NDArray[np.float64]:
    """Share of the pairs of items of each list that are of different categories.

    Args:
        items: (Q, k) int32, -1 padded.
        category: (I,) int32 codes; 0, unknown, differs from everything.

    Returns:
        (Q,) float64 in [0, 1]; NaN for a list with fewer than two items.
    """
    used = items >= 0
    codes = np.where(used, category[np.maximum(items, 0)], 0)
    same = np.zeros(len(items), np.float64)
    for place in range(1, items.shape[1]):
        same += ((codes[:, :-place] == codes[:, place:]) & (codes[:, place:] > 0)).sum(axis=1)
    return _pairwise_distance(2 * same, used.sum(axis=1))


def exposure(items: NDArray[np.int32], number_of_items: int) -> NDArray[np.int64]:
    """(I,) how many places of the (Q, k) lists each item has."""
    return np.bincount(items[items >= 0], minlength=number_of_items)


def coverage(exposures: NDArray[np.int64]) -> float:
    """The share of the (I,) items that stand in at least one list."""
    return float(np.count_nonzero(exposures) / max(len(exposures), 1))


def gini(exposures: NDArray[np.int64]) -> float:
    """How unevenly places are shared: 0 when all (I,) items have the same, 1 - 1/I when one has all.

    G = Σ (2 r - I - 1) e_r / (I Σ e), with e in rising order and r its rank from 1.
    """
    total = exposures.sum()
    if total == 0:
        return 0.0
    size = len(exposures)
    ranks = np.arange(1, size + 1)
    return float(((2 * ranks - size - 1) * np.sort(exposures)).sum() / (size * total))


def exposure_by_decile(exposures: NDArray[np.int64], popularity: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of places that goes to each tenth of the catalogue by popularity.

    Args:
        exposures: (I,) places of each item.
        popularity: (I,) events of each item before; ties by item number.

    Returns:
        (10,) float64 that sums to 1 (to 0 without any place); first the most popular tenth.
    """
    order = np.argsort(-popularity, kind="stable")
    parts = np.array_split(exposures[order], 10)
    sums = np.array([part.sum() for part in parts], np.float64)
    return np.asarray(sums / max(sums.sum(), 1.0))


def _mean(values: NDArray[np.float64], used: NDArray[np.bool_]) -> NDArray[np.float64]:
    count = used.sum(axis=1)
    total = np.where(used, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _pairwise_distance(similar: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 minus the mean similarity; `similar` is summed over ordered pairs."""
    pairs = count * (count - 1)
    return np.where(pairs > 0, 1 - similar / np.maximum(pairs, 1), np.nan)
