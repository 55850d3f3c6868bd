"""Ratings as columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RatingTable:
    """N ratings, or pairs whose rating is asked for.

    Attributes:
        user: (N,) int32 rows.
        item: (N,) int32 rows.
        value: (N,) float32 ratings; NaN where asked for.
        contexts: columns of (N,) int32 codes, each with biases of its own, such as the day of the user.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    value: NDArray[np.float32]
    contexts: tuple[NDArray[np.int32], ...] = ()

    def __len__(self) -> int:
        return len(self.user)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "RatingTable":
        """The ratings at `rows`, a mask or positions, in that order."""
        return RatingTable(
            self.user[rows], self.item[rows], self.value[rows], tuple(codes[rows] for codes in self.contexts)
        )
