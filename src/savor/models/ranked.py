"""Ranked lists of items, one for each user asked for."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from savor.core.top_k import top_k


@dataclass(frozen=True)
class Ranked:
    """The k best items for each of B users, best first.

    Attributes:
        items: (B, k) int32 item numbers, no item twice in a row; -1 where the model has nothing more to offer.
        scores: (B, k) float32, falling along a row; minus infinity where `items` is -1.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.items)

    @classmethod
    def from_scores(cls, scores: NDArray[np.float32], k: int, columns: NDArray[np.int32] | None = None) -> Self:
        """Choose from full rows of scores.

        Args:
            scores: (B, N) float32; minus infinity for what may not be recommended.
            k: length of the lists.
            columns: (N,) int32, rising: the item number of each column; absent where column j is item j.
        """
        positions, values = top_k(scores, k)
        if columns is None:
            return cls(positions, values)
        if not len(columns):
            return cls.empty(len(scores), k)
        return cls(np.where(positions >= 0, columns[positions], np.int32(-1)).astype(np.int32), values)

    @classmethod
    def empty(cls, number_of_users: int, k: int) -> Self:
        """Lists with nothing in them."""
        return cls(np.full((number_of_users, k), -1, np.int32), np.full((number_of_users, k), -np.inf, np.float32))

    @classmethod
    def concatenate(cls, parts: "list[Ranked]", k: int) -> Self:
        """The rows of `parts`, one after the other; all of length k."""
        if not parts:
            return cls.empty(0, k)
        return cls(np.concatenate([part.items for part in parts]), np.concatenate([part.scores for part in parts]))
