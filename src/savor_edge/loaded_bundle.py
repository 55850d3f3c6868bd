"""A bundle at work: what is to be said of it, and the histories that were read with it."""

from threading import Lock
from typing import NamedTuple

from savor_edge.bundle import EdgeBundle
from savor_edge.history import Deed, History
from savor_edge.person_store import PersonStore


class _Read(NamedTuple):
    """One person's `size` events up to event number `last`, as the bundle knows their items."""

    size: int
    last: int
    deeds: list[Deed]
    baskets: dict[str, int]
    history: History


_NOTHING = _Read(0, 0, [], {}, History.of(()))


class LoadedBundle:
    """Keeps histories in memory, as the items of another bundle have other numbers. Safe from several threads.

    Args:
        bundle: what is answered from.
        note: what every answer says of it; None for nothing.
    """

    def __init__(self, bundle: EdgeBundle, note: str | None = None) -> None:
        self.bundle, self.note = bundle, note
        self._read: dict[str, _Read] = {}
        self._lock = Lock()

    def history(self, user: str, store: PersonStore) -> History:
        """What a person did up to this moment; only what is new since the last question is read."""
        with self._lock:
            read = self._read.get(user, _NOTHING)
            count, last = store.extent(user)
            if (read.size, read.last) == (count, last):
                return read.history
            new = list(store.events(user, read.last))
            if read.size + len(new) != count:  # some were erased, or came between the two questions
                read, new = _NOTHING, list(store.events(user))
            deeds, baskets = list(read.deeds), dict(read.baskets)
            for _, event in new:
                deed = self.bundle.features.deed(event, event["time"] // 1000, baskets)
                if deed is not None:
                    deeds.append(deed)
            read = _Read(read.size + len(new), new[-1].number if new else 0, deeds, baskets, History.of(deeds))
            self._read[user] = read
            return read.history

    def forget(self, user: str) -> None:
        """Drop what was read of a person."""
        with self._lock:
            self._read.pop(user, None)
