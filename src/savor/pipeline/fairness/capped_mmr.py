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
        used: codes of items that were chosen before, each counts; None for none.
    """

    codes: NDArray[np.int32]
    most: int
    used: NDArray[np.int32] | None = None

    def room(self) -> NDArray[np.intp]:
        """By code, how many more may be chosen."""
        used = self.codes[:0] if self.used is None else self.used
        size = int(max(self.codes.max(initial=0), used.max(initial=0))) + 1
        return self.most - np.bincount(used, minlength=size)


def capped_mmr(
    scores: NDArray[np.float64],
    vectors: NDArray[np.float32] | None,
    n: int,
    diversity: float = 0.0,
    caps: Sequence[Cap] = (),
    before: NDArray[np.float32] | None = None,
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
        before: (S, D) float32 of unit length, of items chosen before, that the first should be unlike; None for none.

    Returns:
        (min(n, N),) intp, distinct positions in the order chosen.
    """
    number = min(n, len(scores))
    value = (1 - diversity) * scores.astype(np.float64)
    nearest = np.zeros(len(scores))
    if diversity and vectors is not None and before is not None and len(before):
        np.maximum(nearest, (vectors @ before.T).max(axis=1), out=nearest)
    free = np.ones(len(scores), np.bool_)
    within = free.copy()
    left = [cap.room() for cap in caps]
    for cap, room in zip(caps, left, strict=True):
        within &= (cap.codes == 0) | (room[cap.codes] > 0)
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


def within_caps(caps: Sequence[Cap], number: int, n: int) -> NDArray[np.intp]:
    """The first n of `number` items in their order that are within all caps, each choice counting for the next.

    What `capped_mmr` chooses of falling scores without diversity, as far as there are items within the caps; it looks
    no further than it must.

    Returns:
        (at most n,) intp, rising.
    """
    chosen: list[int] = []
    left = [_Room(cap) for cap in caps]
    codes = [cap.codes.tolist() for cap in caps]
    for position in range(number):
        if len(chosen) == n:
            break
        own = [code[position] for code in codes]
        if all(not code or room[code] > 0 for code, room in zip(own, left, strict=True)):
            chosen.append(position)
            for code, room in zip(own, left, strict=True):
                room[code] -= 1
    return np.array(chosen, np.intp)


class _Room(dict[int, int]):
    """`Cap.room` for the codes that are asked for; lists are short, and there may be many codes."""

    def __init__(self, cap: Cap) -> None:
        self._most = cap.most
        if cap.used is not None:
            for code in cap.used.tolist():
                self[code] -= 1

    def __missing__(self, code: int) -> int:
        return self._most
