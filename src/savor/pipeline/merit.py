"""What decides the order of candidates."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.fairness.scores import in_spans

MERIT = "merit"
"""The candidate column that decides the order where it is there; without it the score does."""

_WINDOW = 5


def spans_of(candidates: Candidates, n: int) -> NDArray[np.float64]:
    """(N,) float64, scores in units of the span of the best 5 n, the best at 0; see `in_spans`."""
    return in_spans(candidates.score, min(_WINDOW * n, len(candidates)))


def merit_of(candidates: Candidates, n: int) -> NDArray[np.float64]:
    """(N,) float64: the merit that adjusters gave, or `spans_of`."""
    merit = candidates.columns.get(MERIT)
    return spans_of(candidates, n) if merit is None else merit.astype(np.float64)
