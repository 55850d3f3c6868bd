"""A trip: one visit in which several things may be chosen."""

import numpy as np
from numpy.typing import NDArray

DAY = 86_400


def trip_keys(basket: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number per event; a user's events of one trip share it.

    Args:
        basket: (n,) number of the basket, -1 where unknown.
        time: (n,) UTC seconds.

    Returns:
        (n,) the basket where there is one, else a negative number that stands for the day.
    """
    return np.where(basket >= 0, basket, -2 - time // DAY)
