"""Where the examples of each step come from."""

from hashlib import sha256
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import Histories
from savor.training.retrieval_examples import RetrievalExamples


class ExampleSource(Protocol):
    """N examples in a new random order each pass, that follows from the seed and the number of the pass alone."""

    @property
    def histories(self) -> Histories:
        """Those the examples were made with."""
        ...

    def __len__(self) -> int:
        """N."""
        ...

    def batch(self, epoch: int, step: int, size: int) -> RetrievalExamples:
        """The examples from `step` × `size` on in the order of the pass, `size` of them."""
        ...

    def digest(self) -> str:
        """Names the examples."""
        ...


class ExamplesInMemory:
    """Examples held whole.

    Args:
        examples: all of them.
        histories: those they were made with.
        seed: of the order.
    """

    def __init__(self, examples: RetrievalExamples, histories: Histories, seed: int) -> None:
        self.histories = histories
        self._examples, self._seed = examples, seed
        self._order: tuple[int, NDArray[np.int64]] | None = None

    def __len__(self) -> int:
        return len(self._examples)

    def batch(self, epoch: int, step: int, size: int) -> RetrievalExamples:
        """As in `ExampleSource`."""
        if self._order is None or self._order[0] != epoch:
            self._order = (epoch, np.random.default_rng([self._seed, epoch]).permutation(len(self._examples)))
        return self._examples.take(self._order[1][step * size : (step + 1) * size])

    def digest(self) -> str:
        """As in `ExampleSource`."""
        digest, examples = sha256(), self._examples
        for array in (examples.user, examples.item, examples.now, examples.weight, self.histories.item):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
