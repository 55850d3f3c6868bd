"""What turns pictures into vectors."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class ImageEncoder(Protocol):
    """Encodes pictures; the same picture gives the same vector, up to rounding, whatever stands beside it.

    Attributes:
        name: names the weights and the method, so that vectors of different encoders are never mixed.
        dimension: W, width of the vectors.
        size: height and width of the pictures it takes, in pixels.
    """

    name: str
    dimension: int
    size: int

    def encode(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, W) float32 of (N, size, size, 3) RGB pictures."""
        ...
