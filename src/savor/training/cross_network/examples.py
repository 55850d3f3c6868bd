"""What the cross network learns from."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from savor.features.table_encoder import Inputs


@dataclass(frozen=True)
class CrossExamples:
    """N pairs of a user at a moment and an item.

    Attributes:
        inputs: by name, N rows each; `features` are normalised numbers, the others codes of ids and categories.
        label: (N,) float32, 1 where chosen, else 0.
        rating: (N,) float32, NaN where there is none.
        question: (N,) int32; pairs of one question are kept together when some are set aside.
    """

    inputs: Inputs
    label: NDArray[np.float32]
    rating: NDArray[np.float32]
    question: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.label)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """The pairs at `rows`, a mask or positions, in that order."""
        inputs = {name: column[rows] for name, column in self.inputs.items()}
        return type(self)(inputs, self.label[rows], self.rating[rows], self.question[rows])

    def set_aside(self, share: float, seed: int) -> tuple[Self, Self]:
        """What to learn from, and a `share` of the questions, at least one, drawn by `seed`."""
        questions = np.unique(self.question)
        number = max(1, round(share * len(questions)))
        chosen = np.random.default_rng(seed).choice(questions, number, replace=False)
        aside = np.isin(self.question, chosen)
        return self.select(~aside), self.select(aside)
