"""Ratings by the biases of user and item alone, the baseline of all."""

import numpy as np
from numpy.typing import NDArray

from savor.training.rating.rating_table import RatingTable


class Biases:
    """mean + bias of the user + bias of the item, each shrunk towards 0.

    Args:
        user_shrinkage: how many ratings of 0 above the mean are added to each user's.
        item_shrinkage: the same of each item's.
        sweeps: how often both are fitted in turn.
    """

    def __init__(self, user_shrinkage: float = 4.0, item_shrinkage: float = 2.0, sweeps: int = 10) -> None:
        self._shrinkage, self._sweeps = (user_shrinkage, item_shrinkage), sweeps
        self.mean = 0.0
        self.users = np.zeros(0)
        self.items = np.zeros(0)

    def fit(self, table: RatingTable, number_of_users: int, number_of_items: int) -> None:
        """Fit to the ratings of `table`."""
        self.mean = float(table.value.mean(dtype=np.float64))
        self.users, self.items = np.zeros(number_of_users), np.zeros(number_of_items)
        above = table.value - self.mean
        for _ in range(self._sweeps):
            self.items = _shrunk(table.item, above - self.users[table.user], number_of_items, self._shrinkage[1])
            self.users = _shrunk(table.user, above - self.items[table.item], number_of_users, self._shrinkage[0])

    def predict(self, table: RatingTable) -> NDArray[np.float32]:
        """(N,) float32."""
        return (self.mean + self.users[table.user] + self.items[table.item]).astype(np.float32)


def _shrunk(
    rows: NDArray[np.int32], values: NDArray[np.floating], number: int, shrinkage: float
) -> NDArray[np.float64]:
    return np.bincount(rows, weights=values, minlength=number) / (np.bincount(rows, minlength=number) + shrinkage)
