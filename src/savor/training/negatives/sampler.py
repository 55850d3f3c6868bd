"""What every kind of drawn negatives offers."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from savor.training.retrieval_examples import RetrievalExamples


class Negatives(NamedTuple):
    """Drawn items.

    Attributes:
        items: (M,) int32 for all examples of a batch alike, or (B, M) for each its own; -1 where there is none.
        log_q: float32 of the same shape, log of the expected number of times that the item is drawn.
    """

    items: NDArray[np.int32]
    log_q: NDArray[np.float32]


class NegativeSampler(Protocol):
    """Draws negatives for the examples of a batch; what it draws follows from them and `rng` alone."""

    def sample(self, examples: RetrievalExamples, rng: np.random.Generator) -> Negatives:
        """Draw for the B `examples`. The positive itself may be among what is drawn; the caller leaves it out."""
        ...
