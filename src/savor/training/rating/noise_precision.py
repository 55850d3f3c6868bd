"""How exact each rating is."""

import numpy as np
from numpy.typing import NDArray

from savor.training.rating.rating_table import RatingTable


class NoisePrecision:
    """The precision of a rating's noise is `τ a b`, a of its user and b of its item, both gamma around 1.

    Lakshminarayanan et al., "Robust Bayesian matrix factorisation", 2011.

    Args:
        table: the known ratings.
        number_of_users: U.
        number_of_items: I.
        freedom: ν, `a` and `b` come from Gamma(ν/2, ν/2); None keeps them at 1.

    Attributes:
        overall: τ.
    """

    def __init__(self, table: RatingTable, number_of_users: int, number_of_items: int, freedom: float | None) -> None:
        self._user, self._item, self._freedom = table.user, table.item, freedom
        self._users, self._items = np.ones(number_of_users), np.ones(number_of_items)
        self._user_counts = np.bincount(table.user, minlength=number_of_users)
        self._item_counts = np.bincount(table.item, minlength=number_of_items)
        self.overall = 1.0

    def of_ratings(self) -> NDArray[np.float32]:
        """(N,) float32."""
        return (self.overall * self._users[self._user] * self._items[self._item]).astype(np.float32)

    def draw(self, left: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Draw all of them given what the model leaves of the ratings, (N,)."""
        squares = np.square(left, dtype=np.float64)
        if self._freedom is not None:
            weighted = self.overall * self._items[self._item] * squares
            self._users = self._gamma(self._user, self._user_counts, weighted, rng)
            weighted = self.overall * self._users[self._user] * squares
            self._items = self._gamma(self._item, self._item_counts, weighted, rng)
        rest = float((self._users[self._user] * self._items[self._item] * squares).sum())
        self.overall = rng.gamma(1 + 0.5 * len(left)) / (1 + 0.5 * rest)

    def _gamma(
        self,
        rows: NDArray[np.int32],
        counts: NDArray[np.intp],
        weighted: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        assert self._freedom is not None
        sums = np.bincount(rows, weights=weighted, minlength=len(counts))
        return rng.gamma(0.5 * (self._freedom + counts)) / (0.5 * (self._freedom + sums))
