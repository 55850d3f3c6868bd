"""A history grouped by item, and its rhythm, compiled. Import it when they are to be made: it compiles."""

import numpy as np
from numpy.typing import NDArray

from savor.core.compiled import compiled

_DAY = 86_400


@compiled("int32[1]", "int64[1]", "int64[1]", "int64", "float64")
def grouped(
    item: NDArray[np.int32], time: NDArray[np.int64], order: NDArray[np.int64], now: int, half_life: float
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """A history by item.

    Args:
        item: (n,) oldest first.
        time: (n,) UTC seconds.
        order: (n,) positions that make `item` rise, the older first among the same.
        now: UTC seconds.
        half_life: seconds after which an event counts half.

    Returns:
        The columns of `OwnItems`.
    """
    events = len(item)
    own, weight = np.empty(events, np.int32), np.empty(events, np.float32)
    start, sorted_time = np.empty(events + 1, np.int64), np.empty(events, np.int64)
    number, total = 0, 0.0
    for place in range(events):
        at = order[place]
        if place == 0 or item[at] != own[number - 1]:
            if place:
                weight[number - 1] = total
            own[number], start[number] = item[at], place
            number += 1
            total = 0.0
        sorted_time[place] = time[at]
        total += 2.0 ** ((time[at] - now) / half_life)
    if events:
        weight[number - 1] = total
    start[number] = events
    return own[:number].copy(), weight[:number].copy(), start[: number + 1].copy(), sorted_time


@compiled("int32[1]", "int64[1]", "int32[1]", "int64[1]", "int64")
def rhythms(
    own: NDArray[np.int32], start: NDArray[np.int64], items: NDArray[np.int32], time: NDArray[np.int64], now: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """On how many days somebody had each item, how many days lie between, and how long ago the last was.

    Args:
        own: (M,) rising.
        start: (M + 1,) the times of item m stand at `time[start[m]:start[m + 1]]`, oldest first.
        items: (N,) that are asked about.
        time: (n,) UTC seconds.
        now: UTC seconds.

    Returns:
        (N,) int64 days (0 for never), (N,) float64 median of the days from one to the next (NaN for fewer than two),
        and (N,) int64 whole days from the last of them to that of `now`.
    """
    number = len(items)
    days, gap, last = np.zeros(number, np.int64), np.full(number, np.nan), np.zeros(number, np.int64)
    for position in range(number):
        place = np.searchsorted(own, items[position])
        if place == len(own) or own[place] != items[position]:
            continue
        first, end = start[place], start[place + 1]
        gaps = np.empty(end - first, np.float64)
        count = 0
        before = time[first] // _DAY
        for at in range(first + 1, end):
            day = time[at] // _DAY
            if day != before:
                gaps[count] = day - before
                count += 1
                before = day
        days[position] = count + 1
        last[position] = now // _DAY - before
        if count:
            gap[position] = np.median(gaps[:count])
    return days, gap, last
