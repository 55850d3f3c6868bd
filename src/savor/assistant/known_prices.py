"""Prices that are known."""

import numpy as np
from numpy.typing import NDArray

LEAST = 0.005
"""What is written down below half a cent is no price that anybody pays."""


def known_prices(price: NDArray[np.float32]) -> NDArray[np.float32]:
    """(I,) float32 the same prices, NaN where a price is not known or is none."""
    return np.where(price >= LEAST, price, np.float32(np.nan)).astype(np.float32)
