"""Sums over short lists of neighbours, compiled. Import it when they are to be made: it compiles.

Sums are kept in a hash table, so that what they cost depends on the lists and not on the number of items.
"""

import numpy as np
from numpy.typing import NDArray

from savor.core.compiled import compiled


@compiled("int32[2]", "float32[2]", "int32[1]", "float32[1]")
def add_up(
    item: NDArray[np.int32], weight: NDArray[np.float32], rows: NDArray[np.int32], factors: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """For each item, the sum over `rows` of its weight there times the row's factor.

    Args:
        item: (I, K), -1 behind the last of a row.
        weight: (I, K).
        rows: (n,) rows of them.
        factors: (n,).

    Returns:
        Hash table of S slots: (S,) items, -1 where free, and (S,) sums.
    """
    most = 0
    for position in range(len(rows)):
        count = item.shape[1]
        while count and item[rows[position], count - 1] < 0:
            count -= 1
        most += count
    size = 16
    while 2 * size < 3 * most:
        size *= 2
    mask = size - 1
    keys, sums = np.full(size, -1, np.int32), np.zeros(size)
    for position in range(len(rows)):
        row, factor = rows[position], factors[position]
        for column in range(item.shape[1]):
            key = item[row, column]
            if key < 0:
                break
            slot = (np.int64(key) * 2_654_435_761) & mask
            while keys[slot] != -1 and keys[slot] != key:
                slot = (slot + 1) & mask
            keys[slot] = key
            sums[slot] += weight[row, column] * factor
    return keys, sums


@compiled("int32[1]", "float64[1]", "int32[1]", "boolean[1]")
def choose_from(
    keys: NDArray[np.int32], sums: NDArray[np.float64], without: NDArray[np.int32], allowed: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The items of a hash table that are allowed, in no order, with their sums.

    Args:
        keys: (S,) as `add_up` gives them.
        sums: (S,) likewise.
        without: items that are not wanted.
        allowed: (I,).
    """
    mask = len(keys) - 1
    left_out = np.zeros(len(keys), np.bool_)
    for key in without:
        slot = (np.int64(key) * 2_654_435_761) & mask
        while keys[slot] != -1 and keys[slot] != key:
            slot = (slot + 1) & mask
        left_out[slot] = True
    item, total = np.empty(len(keys), np.int32), np.empty(len(keys), np.float32)
    found = 0
    for place in range(len(keys)):
        if keys[place] >= 0 and not left_out[place] and allowed[keys[place]]:
            item[found], total[found] = keys[place], np.float32(sums[place])
            found += 1
    return item[:found].copy(), total[:found].copy()


@compiled("int32[1]", "float64[1]", "int32[1]")
def look_up(keys: NDArray[np.int32], sums: NDArray[np.float64], items: NDArray[np.int32]) -> NDArray[np.float32]:
    """(N,) the sums of `items`, 0 for those that are not in the hash table."""
    mask = len(keys) - 1
    found = np.zeros(len(items), np.float32)
    for position in range(len(items)):
        key = items[position]
        slot = (np.int64(key) * 2_654_435_761) & mask
        while keys[slot] != -1 and keys[slot] != key:
            slot = (slot + 1) & mask
        if keys[slot] == key:
            found[position] = sums[slot]
    return found


@compiled("int32[2]", "float32[2]", "int32[1]", "float32[1]", "int32[1]")
def largest_part(
    item: NDArray[np.int32],
    weight: NDArray[np.float32],
    rows: NDArray[np.int32],
    factors: NDArray[np.float32],
    wanted: NDArray[np.int32],
) -> NDArray[np.int32]:
    """(N,) for each of the items `wanted`, the one of `rows` that adds most to its sum; the first where none does.

    Args:
        item: (I, K), -1 behind the last of a row.
        weight: (I, K).
        rows: (n,) at least one row of them.
        factors: (n,).
        wanted: (N,).
    """
    best = np.zeros(len(wanted), np.float32)
    found = np.full(len(wanted), rows[0], np.int32)
    for position in range(len(rows)):
        row, factor = rows[position], factors[position]
        for column in range(item.shape[1]):
            key = item[row, column]
            if key < 0:
                break
            for place in range(len(wanted)):
                if wanted[place] == key and weight[row, column] * factor > best[place]:
                    best[place], found[place] = weight[row, column] * factor, row
    return found
