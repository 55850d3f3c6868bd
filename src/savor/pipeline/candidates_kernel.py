"""What sources bring, checked and joined, compiled. Import it when that is to be done: it compiles."""

import numpy as np
from numpy.typing import NDArray

from savor.core.compiled import compiled

DISTINCT, OUTSIDE, TWICE = 0, 1, 2


@compiled("int32[1]", "int64")
def fault_of(ordered: NDArray[np.int32], number_of_items: int) -> int:
    """Whether rows are of the catalogue, and none stands there twice.

    Args:
        ordered: (k,) rising.
        number_of_items: I.

    Returns:
        `DISTINCT`, `OUTSIDE` or `TWICE`.
    """
    if len(ordered) and (ordered[0] < 0 or ordered[-1] >= number_of_items):
        return OUTSIDE
    for place in range(1, len(ordered)):
        if ordered[place] == ordered[place - 1]:
            return TWICE
    return DISTINCT


@compiled("int32[1]", "float32[1]", "int64[1]", "int64[1]", "int64[1]", "int64")
def joined(
    item: NDArray[np.int32],
    score: NDArray[np.float32],
    order: NDArray[np.int64],
    ends: NDArray[np.int64],
    bits: NDArray[np.int64],
    sources: int,
) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.float32]]:
    """The union of what some sources brought, in the order of item rows.

    Args:
        item: (n,) of one source after the other, best first.
        score: (n,) likewise.
        order: (n,) positions that make `item` rise.
        ends: (P,) where what each of P sources brought ends.
        bits: (P,) the number of each.
        sources: S, how many there are in all.

    Returns:
        (N,) rising items, (N,) the sources that brought each as bits, and (S, 2, N) score and rank, NaN where none.
    """
    number = 0
    for place in range(len(order)):
        if place == 0 or item[order[place]] != item[order[place - 1]]:
            number += 1
    found, source = np.empty(number, np.int32), np.zeros(number, np.uint16)
    values = np.full((sources, 2, number), np.nan, np.float32)
    row = -1
    for place in range(len(order)):
        at = order[place]
        if row < 0 or item[at] != found[row]:
            row += 1
            found[row] = item[at]
        part = 0
        while at >= ends[part]:
            part += 1
        bit = bits[part]
        values[bit, 0, row] = score[at]
        values[bit, 1, row] = at - (ends[part - 1] if part else 0) + 1
        source[row] |= np.uint16(1) << np.uint16(bit)
    return found, source, values
