"""Kept lists of late, for when the store of kept lists is away."""

from collections import OrderedDict
from threading import Lock

from savor.online.stores.kept_lists import KeptList

_MOST = 10_000


class KeptInMemory:
    """The last lists that this process wrote or read. Safe to use from several threads.

    Args:
        most: how many of them; what was used longest ago goes first.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lists: OrderedDict[str, KeptList | None] = OrderedDict()
        self._lock = Lock()

    def put(self, customer_id: str, kept: KeptList | None) -> None:
        """Remember a list, or that there is none."""
        with self._lock:
            self._lists.pop(customer_id, None)
            self._lists[customer_id] = kept
            while len(self._lists) > self._most:
                self._lists.popitem(last=False)

    def get(self, customer_id: str) -> tuple[bool, KeptList | None]:
        """Whether it is remembered, and the list; None where there is none."""
        with self._lock:
            return customer_id in self._lists, self._lists.get(customer_id)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._lists.clear()
