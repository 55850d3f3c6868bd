"""What the towers learn from: who chose what, when, and what was known then."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

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
        stop: (N,) int64, where the basket ends there; the events from `end` to `stop` are of this basket or beside it.
        basket: (N,) int64 number of the basket; -1 where there is none, so that the moment stands for it.
        weight: (N,) float32, how much the example counts.
        probability: (I,) float32, share of each item among the examples.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    now: NDArray[np.int64]
    end: NDArray[np.int64]
    stop: NDArray[np.int64]
    basket: NDArray[np.int64]
    weight: NDArray[np.float32]
    probability: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: NDArray[np.int64] | slice) -> "RetrievalExamples":
        """The examples at `rows`, in that order; `probability` stays that of all."""
        columns = [field.name for field in fields(self) if field.name != "probability"]
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    @classmethod
    def from_events(
        cls,
        events: Events,
        histories: Histories,
        number_of_items: int,
        *,
        positives: str = "all",
        maximum: int | None = None,
        weights: Sequence[float] | NDArray[np.float32] | None = None,
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
            weights: how much an event of each kind counts, by number of the kind; an example counts as much as the
                weightiest of its events, and events of weight 0 make none. By default all count 1.
        """
        weight = np.ones(len(events), np.float32) if weights is None else np.asarray(weights, np.float32)[events.kind]
        now, last = _basket_span(events)
        occasion = np.where(events.basket >= 0, events.basket, now)
        order = np.lexsort((now, occasion, events.item, events.user))
        order = order[weight[order] > 0]
        user, item, begins = events.user[order], events.item[order], np.ones(len(order), np.bool_)
        repeated = (user[1:] == user[:-1]) & (item[1:] == item[:-1])
        begins[1:] = ~(repeated & (occasion[order][1:] == occasion[order][:-1]))
        first = np.flatnonzero(begins)
        rows = order[first]
        weight = np.maximum.reduceat(weight[order], first) if len(first) else np.empty(0, np.float32)
        if positives == "first":
            earliest = np.lexsort((now[rows], events.item[rows], events.user[rows]))
            user, item, kept = events.user[rows[earliest]], events.item[rows[earliest]], np.ones(len(rows), np.bool_)
            kept[1:] = (user[1:] != user[:-1]) | (item[1:] != item[:-1])
            rows, weight = rows[earliest][kept], weight[earliest][kept]
        latest = np.lexsort((rows, now[rows]))[-maximum if maximum is not None else None :]
        rows, weight = rows[latest], weight[latest]
        user, item, now = events.user[rows], events.item[rows], now[rows]
        count = np.bincount(item, minlength=number_of_items)
        probability = (count / max(len(rows), 1)).astype(np.float32)
        end = known_until(histories, user, now, strictly=True)
        stop = known_until(histories, user, last[rows])
        return cls(user, item, now, end, stop, events.basket[rows], weight, probability)

    def basket_mates(
        self, histories: Histories, *, without: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """What the user chose in the basket of each example, the example's own item too.

        Args:
            histories: those the examples were made with.
            without: number of a kind of events that do not choose; None for none.

        Returns:
            (P,) positions of examples and (P,) items.
        """
        span = self.stop - self.end
        row = np.repeat(np.arange(len(self)), span)
        position = self.end[row] + np.arange(len(row)) - np.repeat(np.cumsum(span) - span, span)
        basket = self.basket[row]
        beside = np.where(basket >= 0, histories.basket[position] == basket, histories.time[position] == self.now[row])
        if without is not None:
            beside &= histories.kind[position] != without
        return row[beside], histories.item[position[beside]]


def _basket_span(events: Events) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N,) the times of the first and last event of each event's basket; its own time where there is no basket."""
    first, last = events.time.copy(), events.time.copy()
    inside = np.flatnonzero(events.basket >= 0)
    if len(inside) == 0:
        return first, last
    user, basket, time = events.user[inside], events.basket[inside], events.time[inside]
    order = np.lexsort((time, basket, user))
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (user[order][1:] != user[order][:-1]) | (basket[order][1:] != basket[order][:-1])
    group = np.cumsum(begins) - 1
    ends = np.append(np.flatnonzero(begins)[1:], len(order)) - 1
    first[inside[order]] = time[order][begins][group]
    last[inside[order]] = time[order][ends][group]
    return first, last
