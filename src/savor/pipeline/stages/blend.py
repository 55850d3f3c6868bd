"""What scores candidates when no ranker does."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates

_SMOOTHING = np.float32(60)


def blend(candidates: Candidates, sources: Sequence[str]) -> NDArray[np.float32]:
    """(N,) float32, reciprocal rank fusion: the sum over sources of 1 / (60 + rank).

    Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods",
    SIGIR 2009.
    """
    score = np.zeros(len(candidates), np.float32)
    for name in sources:
        rank = candidates.columns[f"{name}_rank"]
        score += np.nan_to_num(1 / (_SMOOTHING + rank), nan=0.0)
    return score
