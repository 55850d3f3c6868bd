"""Selector: items unlike those chosen before them."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated

_WINDOW = 5


class Mmr:
    """Maximal marginal relevance over item vectors.

    Chooses n items one by one by (1 - d) * score - d * (largest cosine to a chosen item), where scores are
    scaled to 0 to 1 among the best 5 n.
    Carbonell and Goldstein, "The use of MMR, diversity-based reranking", SIGIR 1998.

    Args:
        vectors: (I, D) float32 of any length.
        diversity: d, 0 to 1.
    """

    name = "mmr"
    reads = frozenset({"item", "score"})
    writes = frozenset[str]()
    required = False

    def __init__(self, vectors: NDArray[np.float32], diversity: float) -> None:
        self._vectors, self._diversity = vectors, np.float32(diversity)

    def select(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.intp]:  # noqa: ARG002
        """All positions: the n chosen, then the rest in the order they came."""
        number = len(candidates)
        if not query.diverse or number <= query.n:
            return np.arange(number)
        head = np.arange(min(number, _WINDOW * query.n))
        vectors = self._vectors[candidates.item[head]]
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-9))
        score = candidates.score[head]
        span = max(float(score.max() - score.min()), 1e-9)
        gain = (1 - self._diversity) * (score - score.min()) / np.float32(span)
        nearest = np.full(len(head), -1, np.float32)
        chosen = np.empty(query.n, np.intp)
        for turn in range(query.n):
            best = int(np.argmax(gain - self._diversity * np.maximum(nearest, 0)))
            chosen[turn] = best
            gain[best] = -np.inf
            np.maximum(nearest, vectors @ vectors[best], out=nearest)
        rest = np.ones(number, np.bool_)
        rest[chosen] = False
        return np.concatenate([chosen, np.flatnonzero(rest)])
