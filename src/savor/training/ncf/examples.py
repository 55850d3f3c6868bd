"""What neural collaborative filtering learns from."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PairExamples:
    """N distinct chosen pairs, and what negatives are drawn from.

    Attributes:
        user: (N,) int32 codes, rising.
        item: (N,) int32 codes.
        users: U, codes of users are below this.
        items: I, codes of items are below this.
        drawn: (M,) int32, the item codes that negatives are drawn from.
        chance: (M,) float64 of each, adding up to 1.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    users: int
    items: int
    drawn: NDArray[np.int32]
    chance: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def of(
        cls,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        users: int,
        items: int,
        *,
        popularity: float = 0.0,
    ) -> Self:
        """The distinct pairs among N; negatives are drawn from the items in them, by their count to a power."""
        pairs = np.unique(user.astype(np.int64) * items + item)
        kept = (pairs % items).astype(np.int32)
        drawn, counts = np.unique(kept, return_counts=True)
        chance = np.power(counts.astype(np.float64), popularity)
        return cls((pairs // items).astype(np.int32), kept, users, items, drawn, chance / chance.sum())

    def negatives(self, number: int, each: int, rng: np.random.Generator) -> NDArray[np.int32]:
        """(`number`, `each`) int32 item codes, drawn with replacement."""
        if np.ptp(self.chance) == 0:
            return self.drawn[rng.integers(0, len(self.drawn), (number, each))]
        ends = np.cumsum(self.chance)
        places = np.searchsorted(ends / ends[-1], rng.random((number, each)), "right")
        return self.drawn[np.minimum(places, len(self.drawn) - 1)]

    def chosen(self, users: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.bool_]:
        """(B, M) bool: which of the (B, M) `items` each of the (B,) `users` chose."""
        keys = self.user.astype(np.int64) * self.items + self.item
        asked = users.astype(np.int64)[:, None] * self.items + items
        place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        return np.asarray(keys[place] == asked)
