"""Who was shown what, written down after the answer."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.online.experiments.assignment import Assignment
from savor.online.stores.errors import StoreAwayError, StoreError
from savor.online.stores.experiment_store import ExperimentStore, ExposureBatch

_LISTS_AT_ONCE = 500


class ShownList(NamedTuple):
    """One list that was shown to somebody in experiments.

    Attributes:
        recommendation_id: of the list.
        unit: the id under which experiments know the user.
        assignments: of the user.
        items: ids, in the order shown.
        propensities: gives (n,) how probable each item was at its place; None: certain.
        fallback: whether the list was less than usual.
        seconds: time to answer.
        time: UTC microseconds.
        before: how many items earlier pages of the list showed.
    """

    recommendation_id: str
    unit: str
    assignments: tuple[Assignment, ...]
    items: Sequence[str]
    propensities: Callable[[], NDArray[np.float64]] | None
    fallback: bool
    seconds: float
    time: int
    before: int = 0


class ExposureLog:
    """Keeps lists in memory until they are in the store; adding costs nothing but an append.

    Args:
        store: where they go.
        most: lists that wait at most while the store is away; beyond it the oldest are given up, and counted.
    """

    def __init__(self, store: ExperimentStore, most: int = 50_000) -> None:
        self._store, self._most = store, most
        self._waiting: deque[ShownList] = deque()
        self._lock = Lock()
        self.lost = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, shown: ShownList) -> None:
        """Take one in."""
        self._waiting.append(shown)
        if len(self._waiting) > self._most:
            with suppress(IndexError):
                self._waiting.popleft()
                self.lost += 1

    def flush(self) -> bool:
        """Write what waits; False where the store is away, and it waits on."""
        with self._lock:
            while self._waiting:
                lists = [self._waiting.popleft() for _ in range(min(len(self._waiting), _LISTS_AT_ONCE))]
                try:
                    self._store.expose(ExposureBatch.from_rows(_rows(lists))).result()
                except StoreAwayError:
                    self._waiting.extendleft(reversed(lists))
                    return False
                except StoreError:
                    self.lost += len(lists)
            return True


def _rows(lists: Sequence[ShownList]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in lists:
        chances = [1.0] * len(one.items) if one.propensities is None else one.propensities().tolist()
        places = range(one.before, one.before + len(one.items))
        shown: list[tuple[object, ...]] = [*zip(one.items, places, chances, strict=True)]
        shown = shown or [(None, None, None)]
        for experiment, variant in one.assignments:
            rows += [
                (
                    f"{one.recommendation_id}:{experiment}:{'' if position is None else position}",
                    experiment,
                    variant,
                    one.unit,
                    one.recommendation_id,
                    item,
                    position,
                    chance,
                    int(one.fallback),
                    one.seconds,
                    one.time,
                    one.time,
                )
                for item, position, chance in shown
            ]
    return rows
