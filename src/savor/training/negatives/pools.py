"""Negatives drawn from a set of items of each user or each item."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from savor.training.negatives.sampler import Negatives
from savor.training.retrieval_examples import RetrievalExamples


@dataclass(frozen=True)
class PooledNegatives:
    """Draws with replacement from the pool of each example.

    Attributes:
        count: M, how many for each example; none where its pool is empty.
        key: whether a pool belongs to the user or to the positive item of an example.
        indptr: (K + 1,) int64, where each pool stands in `items`.
        items: (N,) int32, the pools one after the other, each without repetition.
    """

    count: int
    key: Literal["user", "item"]
    indptr: NDArray[np.int64]
    items: NDArray[np.int32]

    def sample(self, examples: RetrievalExamples, rng: np.random.Generator) -> Negatives:
        """(B, M) items, each drawn M / size of the pool times on average."""
        start, size = self._pools(examples)
        chance = rng.random((len(examples), self.count))
        if not len(self.items):
            return Negatives(np.full(chance.shape, -1, np.int32), np.zeros(chance.shape, np.float32))
        position = start[:, None] + (chance * size[:, None]).astype(np.int64)
        there = np.broadcast_to((size > 0)[:, None], chance.shape)
        drawn = np.where(there, self.items[np.where(there, position, 0)], -1).astype(np.int32)
        log_q = np.log(self.count / np.maximum(size, 1)).astype(np.float32)
        return Negatives(drawn, np.broadcast_to(log_q[:, None], chance.shape))

    def pairs(self, examples: RetrievalExamples) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """All that could be drawn: example, item and size of the pool, (P,) each."""
        start, size = self._pools(examples)
        row = np.repeat(np.arange(len(examples)), size)
        within = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
        return row, self.items[start[row] + within], size[row]

    def _pools(self, examples: RetrievalExamples) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        owner = examples.user if self.key == "user" else examples.item
        start = self.indptr[owner]
        return start, self.indptr[owner + 1] - start
