"""What a number of items together say of their neighbours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.models.neighbours import Neighbours


@dataclass(frozen=True)
class NeighbourSums:
    """The sum of weights of every item that is a neighbour of some of the given ones; see `of`."""

    keys: NDArray[np.int32]
    sums: NDArray[np.float64]

    @classmethod
    def of(cls, neighbours: Neighbours, items: NDArray[np.int32], factors: NDArray[np.float32]) -> "NeighbourSums":
        """Add up, for every item j, over the given items i: factor(i) * neighbours.weight(i, j).

        Args:
            neighbours: (I, K).
            items: (n,) rows of it.
            factors: (n,) float32.

        Raises:
            ValueError: an item is not in the table.
            MissingDependencyError: Numba is not installed.
        """
        from savor.models.neighbours_kernel import add_up

        if len(items) and (items.min() < 0 or items.max() >= len(neighbours)):
            raise ValueError(f"there are items outside the table of neighbours, which has {len(neighbours)}")
        rows, weights = np.ascontiguousarray(items, np.int32), np.ascontiguousarray(factors, np.float32)
        item, weight = np.ascontiguousarray(neighbours.item), np.ascontiguousarray(neighbours.weight)
        return cls(*add_up(item, weight, rows, weights))

    def best(
        self, k: int, allowed: NDArray[np.bool_], without: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Up to k items with the largest sums and these, best first, ties by lower item.

        Args:
            k: how many.
            allowed: (I,) bool; only these.
            without: (n,) int32 items; none of these.
        """
        from savor.models.neighbours_kernel import choose_from

        item, total = choose_from(self.keys, self.sums, np.ascontiguousarray(without, np.int32), allowed)
        if len(item) > k:
            head = total >= np.partition(total, len(total) - k)[len(total) - k]
            item, total = item[head], total[head]
        order = np.lexsort((item, -total))[:k]
        return item[order], total[order]

    def values(self, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """(N,) float32, the sum of each item, 0 where nothing speaks for it."""
        from savor.models.neighbours_kernel import look_up

        return np.asarray(look_up(self.keys, self.sums, np.ascontiguousarray(items, np.int32)))
