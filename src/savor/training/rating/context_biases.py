"""Biases of what a rating was given in, drawn one column after the other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class ContextBiases:
    """A number for each code of each context column; the numbers of a column are normal around 0.

    Args:
        contexts: columns of (N,) int32 codes of the known ratings.
        sizes: how many codes each column has, with those of which no rating is known.
    """

    def __init__(self, contexts: Sequence[NDArray[np.int32]], sizes: Sequence[int]) -> None:
        self._codes, self._sizes = tuple(contexts), tuple(sizes)
        self._biases = [np.zeros(size, np.float32) for size in sizes]
        self._precision = [50.0] * len(self._codes)

    def values(self) -> tuple[NDArray[np.float32], ...]:
        """The numbers of each column."""
        return tuple(biases.copy() for biases in self._biases)

    def of(self, contexts: Sequence[NDArray[np.int32]]) -> NDArray[np.float32] | float:
        """(N,) sum over the columns."""
        parts = [biases[codes] for biases, codes in zip(self._biases, contexts, strict=True)]
        return np.sum(parts, axis=0, dtype=np.float32) if parts else 0.0

    def draw(self, rest: NDArray[np.float32], precision: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Draw all numbers given what other parts leave, (N,), and the precision of the noise of each, (N,)."""
        for number, codes in enumerate(self._codes):
            size = self._sizes[number]
            others = sum((self._biases[k][c] for k, c in enumerate(self._codes) if k != number), np.float32(0))
            sums = np.bincount(codes, weights=precision * (rest - others), minlength=size)
            spread = self._precision[number] + np.bincount(codes, weights=precision, minlength=size)
            drawn = sums / spread + rng.standard_normal(size) / np.sqrt(spread)
            self._biases[number] = drawn.astype(np.float32)
            self._precision[number] = rng.gamma(1 + 0.5 * size) / (1 + 0.5 * float((drawn**2).sum()))
