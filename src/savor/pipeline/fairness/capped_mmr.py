"""Items unlike those chosen before them, with not too many of one category or business."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Cap(NamedTuple):
    """Most items of one kind.

    Attributes:
        codes: (N,) int32 of the candidates; 0 is unknown, and not capped.
        most: how many of one code may be chosen while others are left.
    """

    codes: NDArray[np.int32]
    most: int


def capped_mmr(
    scores: NDArray[np.float64],
    vectors: NDArray[np.float32] | None,
    n: int,
    diversity: float = 0.0,
    caps: Sequence[Cap] = (),
) -> NDArray[np.intp]:
    """Choose n items one by one by (1 - d) * score - d * (largest inner product with a chosen item).

    Carbonell and Goldstein, "The use of MMR, diversity-based reranking", SIGIR 1998. An item beyond a cap waits until
    none within the caps is left; among those, the same rule chooses.

    Args:
        scores: (N,) float64; on a scale comparable with inner products, as `in_spans` makes them.
        vectors: (N, D) float32 of unit length; None where `diversity` is 0.
        n: how many.
        diversity: d, 0 to 1.
        caps: that must all hold.

    Returns:
        (min(n, N),) intp, distinct positions in the order chosen.
    """
    number = min(n, len(scores))
    value = (1 - diversity) * scores.astype(np.float64)
    nearest = np.zeros(len(scores))
    free = np.ones(len(scores), np.bool_)
    within = free.copy()
    left = [np.full(int(cap.codes.max(initial=0)) + 1, cap.most) for cap in caps]
    chosen = np.empty(number, np.intp)
    for turn in range(number):
        open_ = free & within
        gain = np.where(open_ if open_.any() else free, value - diversity * nearest, -np.inf)
        best = int(np.argmax(gain))
        chosen[turn] = best
        free[best] = False
        if diversity and vectors is not None:
            np.maximum(nearest, vectors @ vectors[best], out=nearest)
        for cap, room in zip(caps, left, strict=True):
            code = cap.codes[best]
            room[code] -= 1
            if code and room[code] <= 0:
                within &= cap.codes != code
    return chosen
