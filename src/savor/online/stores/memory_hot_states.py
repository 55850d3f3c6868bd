"""Recent events of users in the memory of this process."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import monotonic

import numpy as np

from savor.online.event_batch import EventBatch
from savor.online.stores.hot_states import Recent

_NOTHING = EventBatch.empty()


class MemoryHotStates:
    """HotStates of this process alone.

    Args:
        most_events: how many are kept of one user.
        most_users: how many users are kept; who did nothing for longest goes first.
        seconds: for how long after the last event of a user.
        clock: rising seconds.
    """

    def __init__(
        self,
        most_events: int = 200,
        most_users: int = 100_000,
        seconds: float = 7 * 86_400,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._most_events, self._most_users, self._seconds, self._clock = most_events, most_users, seconds, clock
        self._users: OrderedDict[str, tuple[float, EventBatch]] = OrderedDict()
        self._merged: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._tell: Callable[[str], None] = lambda _: None

    def __len__(self) -> int:
        return len(self._users)

    def add(self, batch: EventBatch, *, shared: bool = False) -> None:  # noqa: ARG002
        """See HotStates; there are no others."""
        by_user: dict[str, list[int]] = {}
        with self._lock:
            for place, user_id in enumerate(batch.user_id):
                by_user.setdefault(self._merged.get(user_id, user_id), []).append(place)
            for user_id, places in by_user.items():
                self._put(user_id, batch if len(by_user) == 1 else batch.take(places))

    def recent(self, user_id: str) -> Recent:
        """See HotStates."""
        with self._lock:
            user_id = self._merged.get(user_id, user_id)
            until, events = self._users.get(user_id, (0.0, None))
            if events is not None and until < self._clock():
                self._drop(user_id)
                events = None
        return Recent(_NOTHING if events is None else events)

    def users(self) -> list[str]:
        """See HotStates."""
        with self._lock:
            return list(self._users)

    def merge(self, visitor_id: str, user_id: str) -> None:
        """See HotStates."""
        with self._lock:
            self._merged[visitor_id] = user_id
            while len(self._merged) > self._most_users:
                self._merged.popitem(last=False)
            _, events = self._users.pop(visitor_id, (0.0, None))
            if events is not None:
                self._put(user_id, events)

    def forget(self, user_ids: Sequence[str]) -> bool:
        """See HotStates."""
        gone = set(user_ids)
        with self._lock:
            for user_id in gone:
                self._users.pop(user_id, None)
            for visitor_id in [visitor for visitor, user in self._merged.items() if visitor in gone or user in gone]:
                del self._merged[visitor_id]
        return True

    def when_dropped(self, tell: Callable[[str], None]) -> None:
        """See HotStates."""
        self._tell = tell

    def problem(self) -> str:
        """See HotStates: there are no others."""
        return ""

    def _put(self, user_id: str, new: EventBatch) -> None:
        now = self._clock()
        until, known = self._users.pop(user_id, (0.0, None))
        if known is not None and until >= now:
            new = EventBatch.concatenate([known, new])
        self._users[user_id] = (now + self._seconds, last_events(new, self._most_events, user_id))
        while len(self._users) > self._most_users or next(iter(self._users.values()))[0] < now:
            self._drop(next(iter(self._users)))

    def _drop(self, user_id: str) -> None:
        del self._users[user_id]
        self._tell(user_id)


def last_events(events: EventBatch, most: int, user_id: str) -> EventBatch:
    """The newest `most` of `events` as those of `user_id`, oldest first, each once: the first of those with one id."""
    first: dict[str, int] = {}
    for place, event_id in enumerate(events.event_id):
        first.setdefault(event_id, place)
    places = np.fromiter(first.values(), np.intp, len(first))
    order = places[np.argsort(events.time[places], kind="stable")][-most:]
    chosen = events.take(order)
    chosen.user_id[:] = [user_id] * len(chosen)
    return chosen
