"""All negatives of a training, and those that change while it goes on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.training.candidates import CandidateMaker
from savor.training.negatives.pools import PooledNegatives
from savor.training.negatives.similar import similar_negatives


class NegativePlan:
    """Knows which negatives to draw at each step.

    Args:
        candidates: with all that does not change.
        similar: how many negatives per example are drawn from the nearest by present item vectors.
        neighbours: how many nearest they are drawn from.
        refresh_steps: steps after which those are found anew.
    """

    def __init__(
        self, candidates: CandidateMaker, *, similar: int = 0, neighbours: int = 50, refresh_steps: int = 200
    ) -> None:
        self._fixed, self._similar, self._neighbours, self._steps = candidates, similar, neighbours, refresh_steps
        self._nearest: PooledNegatives | None = None

    def is_due(self, step: int) -> bool:
        """Whether `refresh` must be called before step number `step` of the training."""
        return self._similar > 0 and step % self._steps == 0

    def refresh(self, vectors: NDArray[np.float32]) -> None:
        """Find the nearest anew, by (I, D) item vectors."""
        self._nearest = similar_negatives(vectors, self._similar, self._neighbours)

    def candidates(self) -> CandidateMaker:
        """What puts the negatives together now."""
        nearest = () if self._nearest is None else (self._nearest,)
        return replace(self._fixed, pools=(*self._fixed.pools, *nearest))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `restore` needs."""
        return {} if self._nearest is None else {"indptr": self._nearest.indptr, "items": self._nearest.items}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go to where `arrays` was taken."""
        if arrays:
            self._nearest = PooledNegatives(self._similar, "item", arrays["indptr"], arrays["items"])
