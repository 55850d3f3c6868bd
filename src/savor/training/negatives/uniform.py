"""Negatives drawn from all items alike."""

from dataclasses import dataclass

import numpy as np

from savor.training.negatives.sampler import Negatives
from savor.training.retrieval_examples import RetrievalExamples


@dataclass(frozen=True)
class UniformNegatives:
    """Draws with replacement, once for all examples of a batch.

    Attributes:
        count: M, how many.
        items: I, of how many.
    """

    count: int
    items: int

    def sample(self, examples: RetrievalExamples, rng: np.random.Generator) -> Negatives:
        """(M,) items, each drawn M / I times on average."""
        del examples
        drawn = rng.integers(0, self.items, self.count).astype(np.int32)
        return Negatives(drawn, np.full(self.count, np.log(self.count / self.items), np.float32))
