"""What turns strings into vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class TextEncoder(Protocol):
    """Encodes text; the same string always gives the same vector, whatever stands beside it.

    Attributes:
        name: names the weights and the method, so that vectors of different encoders are never mixed.
    """

    name: str

    @property
    def dimension(self) -> int:
        """Width of the vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, dimension) float32 of N strings, each row of length 1."""
        ...
