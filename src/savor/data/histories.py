"""What each user did, in time order: events regrouped by user in compressed rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.data.events import Events


@dataclass(frozen=True)
class History:
    """One user's n events, oldest first; the arrays are views.

    Attributes:
        item: (n,) int32.  time: (n,) int64 UTC seconds.  kind: (n,) uint8.
        value: (n,) float32.  price: (n,) float32, NaN where unknown.  basket: (n,) int64, -1 where unknown.
    """

    item: NDArray[np.int32]
    time: NDArray[np.int64]
    kind: NDArray[np.uint8]
    value: NDArray[np.float32]
    price: NDArray[np.float32]
    basket: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.item)

    @classmethod
    def empty(cls) -> "History":
        """The history of somebody nothing is known of."""
        return cls(
            np.empty(0, np.int32),
            np.empty(0, np.int64),
            np.empty(0, np.uint8),
            np.empty(0, np.float32),
            np.empty(0, np.float32),
            np.empty(0, np.int64),
        )


@dataclass(frozen=True)
class Histories:
    """The histories of U users with N events in all, as compressed rows.

    Attributes:
        indptr: (U + 1,) int64; user u's events stand at `indptr[u]:indptr[u + 1]`, oldest first.
        item, time, kind, value, price, basket: (N,) arrays as in `History`.
    """

    indptr: NDArray[np.int64]
    item: NDArray[np.int32]
    time: NDArray[np.int64]
    kind: NDArray[np.uint8]
    value: NDArray[np.float32]
    price: NDArray[np.float32]
    basket: NDArray[np.int64]

    @classmethod
    def from_events(cls, events: Events, number_of_users: int) -> "Histories":
        """Group `events` (in time order) by user; users without events get an empty row."""
        order = np.argsort(events.user, kind="stable")
        counts = np.bincount(events.user, minlength=number_of_users)
        indptr = np.zeros(number_of_users + 1, np.int64)
        np.cumsum(counts, out=indptr[1:])
        return cls(
            indptr,
            events.item[order],
            events.time[order],
            events.kind[order],
            events.value[order],
            events.price[order],
            events.basket[order],
        )

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def of(self, user: int) -> History:
        """The history of `user`; empty for a number outside the table."""
        if not 0 <= user < len(self):
            return History.empty()
        rows = slice(self.indptr[user], self.indptr[user + 1])
        return History(
            self.item[rows], self.time[rows], self.kind[rows], self.value[rows], self.price[rows], self.basket[rows]
        )
