"""The time of day and of the week, as points on circles."""

import numpy as np
from numpy.typing import NDArray

DAY = 86_400
WEEK = 7 * DAY
WIDTH = 4


def moment_features(now: NDArray[np.int64]) -> NDArray[np.float32]:
    """(B,) UTC seconds to (B, 4) float32: sine and cosine of the time of day, then of the time of the week."""
    angle = np.stack([now % DAY / DAY, now % WEEK / WEEK], axis=1) * (2 * np.pi)
    return np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(len(now), WIDTH).astype(np.float32)
