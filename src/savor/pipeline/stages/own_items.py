"""Hydrator: the distinct items of the user's history."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import History
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated

DAY = 86_400


@dataclass(frozen=True)
class OwnItems:
    """M distinct items.

    Attributes:
        item: (M,) int32, rising.
        weight: (M,) float32, sum over the item's events of 0.5 ** (age / half-life).
        start: (M + 1,) int64; the times of item m stand at `time[start[m]:start[m + 1]]`, oldest first.
        time: (n,) int64 UTC seconds.
    """

    item: NDArray[np.int32]
    weight: NDArray[np.float32]
    start: NDArray[np.int64]
    time: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.item)

    def strongest(self, k: int) -> NDArray[np.intp]:
        """Up to k positions by falling weight, ties by lower item."""
        return np.argsort(-self.weight, kind="stable")[:k]

    def rhythms(
        self, items: NDArray[np.int32], now: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """For N items: on how many days the user had them, the median of days between, days since the last.

        Returns:
            (N,) int64, 0 for never; (N,) float64, NaN for fewer than two; (N,) int64.
        """
        from savor.pipeline.stages.own_items_kernel import rhythms

        days, gap, last = rhythms(self.item, self.start, np.ascontiguousarray(items, np.int32), self.time, now)
        return days, gap, last

    @classmethod
    def of(cls, history: History, now: int, half_life: float) -> "OwnItems":
        """Group a history by item; `half_life` in seconds."""
        if not len(history):
            return cls(np.empty(0, np.int32), np.empty(0, np.float32), np.zeros(1, np.int64), np.empty(0, np.int64))
        from savor.pipeline.stages.own_items_kernel import grouped

        item = np.ascontiguousarray(history.item, np.int32)
        order = np.argsort(item, kind="stable")
        return cls(*grouped(item, np.ascontiguousarray(history.time, np.int64), order, now, half_life))


class OwnItemsHydrator:
    """Groups the history by item.

    Args:
        half_life_days: age at which an event counts half.
        kinds: positions of the kinds of events that count; empty counts all.
    """

    name = "own_items"
    reads = frozenset({"history"})
    writes = frozenset({"own_items"})
    required = True

    def __init__(self, half_life_days: float, kinds: tuple[int, ...] = ()) -> None:
        self._half_life = half_life_days * DAY
        self._kinds = np.asarray(kinds, np.uint8)

    def hydrate(self, query: Query, hydrated: Hydrated) -> dict[str, Any]:
        """`own_items` (OwnItems)."""
        history: History = hydrated["history"]
        if len(self._kinds) and len(history):
            kept = np.isin(history.kind, self._kinds)
            if not kept.all():
                history = History(**{field.name: getattr(history, field.name)[kept] for field in fields(History)})
        return {"own_items": OwnItems.of(history, query.now, self._half_life)}
