"""Where conversations are kept."""

from collections import OrderedDict
from threading import Lock
from typing import Any, Protocol


class Memory(Protocol):
    """What conversations have come to, by their ids. Safe to use from several threads."""

    def get(self, conversation_id: str, user_id: str) -> dict[str, Any] | None:
        """What was put for this conversation of this user; None where it is not there, or somebody else's.

        Raises:
            StoreAwayError: where it is kept cannot be reached.
        """
        ...

    def put(self, conversation_id: str, user_id: str, document: dict[str, Any]) -> None:
        """Keep a document in the place of what was there; somebody else's conversation is left alone.

        Raises:
            StoreAwayError: where it is kept cannot be reached.
        """
        ...


class InProcess:
    """Memory that ends with the process; the conversations that were silent longest make room."""

    def __init__(self, most: int = 10_000) -> None:
        self._kept: OrderedDict[str, tuple[str, dict[str, Any]]] = OrderedDict()
        self._most, self._lock = most, Lock()

    def get(self, conversation_id: str, user_id: str) -> dict[str, Any] | None:
        """See `Memory`."""
        with self._lock:
            owner, document = self._kept.get(conversation_id, ("", None))
            return document if owner == user_id else None

    def put(self, conversation_id: str, user_id: str, document: dict[str, Any]) -> None:
        """See `Memory`."""
        with self._lock:
            if self._kept.get(conversation_id, (user_id, None))[0] != user_id:
                return
            self._kept[conversation_id] = (user_id, document)
            self._kept.move_to_end(conversation_id)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
