"""What the towers learn from: who chose what, when, and what was known then."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.data.events import Events
from savor.data.histories import Histories
from savor.features.history_window import known_until


@dataclass(frozen=True)
class RetrievalExamples:
    """N positive pairs in time order.

    Attributes:
        user: (N,) int32.
        item: (N,) int32.
        now: (N,) int64 UTC seconds, when the user began the basket with the item in it.
        end: (N,) int64, where the events before `now` end in the histories the examples were made with.
        probability: (I,) float32, share of each item among the examples.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    now: NDArray[np.int64]
    end: NDArray[np.int64]
    probability: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def from_events(
        cls,
        events: Events,
        histories: Histories,
        number_of_items: int,
        *,
        positives: str = "all",
        maximum: int | None = None,
    ) -> "RetrievalExamples":
        """One example per user, item and basket (per user, item and moment where there are no baskets).

        Its moment is that of the basket's first event, and what is known is what happened strictly before: neither the
        rest of the basket nor anything in the same second.

        Args:
            events: in time order.
            histories: of the same events.
            number_of_items: I.
            positives: "first" keeps the first example of each user and item only.
            maximum: keep only so many, the latest.
        """
        now = _basket_start(events)
        occasion = np.where(events.basket >= 0, events.basket, now)
        order = np.lexsort((now, occasion, events.item, events.user))
        user, item, kept = events.user[order], events.item[order], np.ones(len(order), np.bool_)
        repeated = (user[1:] == user[:-1]) & (item[1:] == item[:-1])
        if positives == "first":
            order = np.lexsort((now, events.item, events.user))
            kept[1:] = ~repeated
        else:
            kept[1:] = ~(repeated & (occasion[order][1:] == occasion[order][:-1]))
        rows = order[kept]
        rows = rows[np.lexsort((rows, now[rows]))]
        if maximum is not None:
            rows = rows[-maximum:]
        user, item = events.user[rows], events.item[rows]
        count = np.bincount(item, minlength=number_of_items)
        probability = (count / max(len(rows), 1)).astype(np.float32)
        return cls(user, item, now[rows], known_until(histories, user, now[rows], strictly=True), probability)


def _basket_start(events: Events) -> NDArray[np.int64]:
    """(N,) the time of the first event of each event's basket; its own time where there is no basket."""
    start = events.time.copy()
    inside = np.flatnonzero(events.basket >= 0)
    if len(inside) == 0:
        return start
    user, basket, time = events.user[inside], events.basket[inside], events.time[inside]
    order = np.lexsort((time, basket, user))
    first = np.ones(len(order), np.bool_)
    first[1:] = (user[order][1:] != user[order][:-1]) | (basket[order][1:] != basket[order][:-1])
    start[inside[order]] = time[order][first][np.cumsum(first) - 1]
    return start
