"""The last items of each user before a moment, as rows of equal width."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

HOUR = 3600
AGE_BUCKETS = 24
"""Codes of `age_bucket`: 0 for padding, then 1 to 23."""


class Timed(Protocol):
    """What users did at which moments, as compressed rows.

    Attributes:
        indptr: (U + 1,) int64; user u's moments stand at `indptr[u]:indptr[u + 1]`, oldest first.
        time: (N,) int64 UTC seconds.
    """

    @property
    def indptr(self) -> NDArray[np.int64]:
        """Boundaries of the rows."""

    @property
    def time(self) -> NDArray[np.int64]:
        """Moments."""

    def __len__(self) -> int: ...


def known_until(
    histories: Timed, users: NDArray[np.int32], now: NDArray[np.int64], *, strictly: bool = False
) -> NDArray[np.int64]:
    """Where each user's known events end.

    Args:
        histories: events by user, each user's oldest first.
        users: (B,) rows of the user table; those outside `histories` have no events.
        now: (B,) UTC seconds.
        strictly: leave out events at `now` itself. Training does, so that nothing is predicted from what happened in
            the same second; serving does not, as an event counts from the moment it is known.

    Returns:
        (B,) int64 positions in the arrays of `histories`, one past the last known event.
    """
    side: Literal["left", "right"] = "left" if strictly else "right"
    inside = (users >= 0) & (users < len(histories))
    row = np.where(inside, users, 0)
    if len(histories) == 0 or len(histories.time) == 0:
        return np.zeros(len(users), np.int64)
    start, stop = histories.indptr[row], np.where(inside, histories.indptr[row + 1], histories.indptr[row])
    if len(users) <= 8:
        pairs = zip(start, stop, now, strict=True)
        ends = [first + np.searchsorted(histories.time[first:last], moment, side) for first, last, moment in pairs]
        return np.asarray(ends, np.int64)
    low, high = start.copy(), stop.copy()
    while np.any(low < high):
        middle = (low + high) // 2
        active = low < high
        time = histories.time[np.minimum(middle, len(histories.time) - 1)]
        before = active & (time < now if strictly else time <= now)
        low = np.where(before, middle + 1, low)
        high = np.where(active & ~before, middle, high)
    return low


def last_positions(
    histories: Timed, users: NDArray[np.int32], ends: NDArray[np.int64], length: int
) -> NDArray[np.int64]:
    """(B, `length`) int64 positions of each user's last events before `ends`, newest first, then -1."""
    inside = (users >= 0) & (users < len(histories))
    start = histories.indptr[np.where(inside, users, 0)] if len(histories) else np.zeros(len(users), np.int64)
    start = np.where(inside, start, ends)
    position = ends[:, None] - 1 - np.arange(length)
    return np.where(position >= start[:, None], position, -1)


def age_bucket(age: NDArray[np.int64]) -> NDArray[np.int32]:
    """Seconds since an event to 1 + floor(log2(1 + hours)), at most `AGE_BUCKETS` - 1; any shape, int32."""
    hours = np.maximum(age, 0) / HOUR
    return np.minimum(1 + np.log2(1 + hours).astype(np.int32), AGE_BUCKETS - 1).astype(np.int32)
