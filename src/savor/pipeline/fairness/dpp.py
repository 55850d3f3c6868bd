"""Items that are good, and together span much of the space of vectors."""

import numpy as np
from numpy.typing import NDArray

_LEAST_GAIN = 1e-10


def greedy_dpp(scores: NDArray[np.float64], vectors: NDArray[np.float32], n: int, diversity: float) -> NDArray[np.intp]:
    """Choose n items that make a determinantal point process likely, greedily.

    The kernel is L = q_i q_j <v_i, v_j> with q = exp(score * (1 - d) / d): each step takes the item with the largest
    score * 2 (1 - d) / d + log(what its vector adds to the volume). By incremental Cholesky factors, in n steps of one
    product each: Chen, Zhang and Zhou, "Fast greedy MAP inference for determinantal point process to improve
    recommendation diversity", NeurIPS 2018, algorithm 1.

    Args:
        scores: (N,) float64, as `in_spans` makes them.
        vectors: (N, D) float32 of unit length.
        n: how many. Once nothing adds to the volume (after D items at the latest), the best of the rest follow.
        diversity: d, above 0 and at most 1.

    Returns:
        (min(n, N),) intp, distinct positions in the order chosen.
    """
    number = min(n, len(scores))
    quality = scores * (2 * (1 - diversity) / diversity)
    added = np.einsum("nd,nd->n", vectors, vectors).astype(np.float64)
    factors = np.zeros((number, len(scores)))
    free = np.ones(len(scores), np.bool_)
    chosen = np.empty(number, np.intp)
    for turn in range(number):
        spans = free & (added > _LEAST_GAIN)
        if not spans.any():
            rest = np.flatnonzero(free)
            chosen[turn:] = rest[np.argsort(-scores[rest], kind="stable")][: number - turn]
            break
        gain = np.where(spans, quality + np.log(np.maximum(added, _LEAST_GAIN)), -np.inf)
        best = int(np.argmax(gain))
        chosen[turn] = best
        free[best] = False
        inner = (vectors @ vectors[best]).astype(np.float64)
        row = (inner - factors[:turn, best] @ factors[:turn]) / np.sqrt(added[best])
        factors[turn] = row
        added = added - row * row
    return chosen
