"""Which items go with which: one short list for each item."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError


@dataclass(frozen=True)
class Neighbours:
    """The K items nearest to each of I items, nearest first.

    Attributes:
        item: (I, K) int32 item numbers, never the item itself; -1 where there are fewer.
        weight: (I, K) float32, above 0 and falling along a row; 0 where `item` is -1.
    """

    item: NDArray[np.int32]
    weight: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.item.shape != self.weight.shape or self.item.ndim != 2:
            raise BundleError(
                f"neighbours must be two (items, K) arrays, got {self.item.shape} and {self.weight.shape}"
            )

    def __len__(self) -> int:
        return len(self.item)

    def of(self, item: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The neighbours of `item` and their weights, without padding; none for a number outside the table."""
        if not 0 <= item < len(self):
            return np.empty(0, np.int32), np.empty(0, np.float32)
        count = int(np.count_nonzero(self.item[item] >= 0))
        return self.item[item, :count], self.weight[item, :count]

    def narrowed(self, k: int) -> "Neighbours":
        """Only the k nearest of each item."""
        return Neighbours(np.ascontiguousarray(self.item[:, :k]), np.ascontiguousarray(self.weight[:, :k]))

    def save(self, directory: Path) -> None:
        """Write `item.npy` and `weight.npy` into `directory`, which is made if absent."""
        directory.mkdir(parents=True, exist_ok=True)
        np.save(directory / "item.npy", self.item, allow_pickle=False)
        np.save(directory / "weight.npy", self.weight, allow_pickle=False)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is absent or damaged, or the two arrays do not fit each other.
        """
        try:
            item = np.load(directory / "item.npy", allow_pickle=False)
            weight = np.load(directory / "weight.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise BundleError(f"the neighbours in {directory} cannot be read ({error}); publish again") from None
        return cls(item, weight)
