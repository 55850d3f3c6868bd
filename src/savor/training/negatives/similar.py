"""Negatives that are like the item that was chosen."""

import numpy as np
from numpy.typing import NDArray

from savor.index.choose import choose_index
from savor.training.negatives.pools import PooledNegatives

BLOCK = 1024


def similar_negatives(vectors: NDArray[np.float32], count: int, neighbours: int) -> PooledNegatives:
    """Pools by item of the items with the highest cosine to it, without itself.

    Args:
        vectors: (I, W) float32; an item with a vector of zeros has no pool and is in none.
        count: how many to draw for each example.
        neighbours: size of a pool.
    """
    length = np.linalg.norm(vectors, axis=1)
    known = np.flatnonzero(length > 0)
    unit = vectors[known] / length[known, None]
    size = np.zeros(len(vectors), np.int64)
    parts = []
    if len(known) > 1:
        width = min(neighbours + 1, len(known))
        index = choose_index(len(known)).build(np.ascontiguousarray(unit, np.float32))
        for start in range(0, len(known), BLOCK):
            own = np.arange(start, min(start + BLOCK, len(known)))
            found, _ = index.search(unit[own], width)
            kept = (found >= 0) & (found != own[:, None])
            kept &= np.cumsum(kept, axis=1) <= neighbours
            size[known[own]] = kept.sum(axis=1)
            parts.append(known[found[kept]])
    indptr = np.zeros(len(vectors) + 1, np.int64)
    np.cumsum(size, out=indptr[1:])
    return PooledNegatives(
        count, "item", indptr, np.concatenate(parts).astype(np.int32) if parts else np.empty(0, np.int32)
    )
