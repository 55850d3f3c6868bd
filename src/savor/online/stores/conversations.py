"""What conversations have come to."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import orjson
from sqlalchemy import Connection, delete, func, select

from savor.core.clock import Clock, wall_clock
from savor.online.stores.database import Database
from savor.online.stores.tables import conversations
from savor.online.stores.upsert import upsert

DAY = 86_400
_TIDIED_EVERY = 300.0
_LONGEST = 64 * 1024


class Conversations:
    """One document for each conversation, of the user who began it. Safe to use from several threads.

    Every method raises StoreAwayError where the database cannot be reached.

    Args:
        database: where they are.
        forget_days: after how many days of silence a conversation is forgotten.
        most: how many are kept; the oldest make room.
        clock: for the moment of each change.
        rising: rising seconds.
    """

    def __init__(
        self,
        database: Database,
        *,
        forget_days: float = 30.0,
        most: int = 100_000,
        clock: Clock = wall_clock,
        rising: Callable[[], float] = monotonic,
    ) -> None:
        self._database, self._forget, self._most = database, int(forget_days * DAY), most
        self._clock, self._rising = clock, rising
        self._lock, self._tidied = threading.Lock(), float("-inf")

    def get(self, conversation_id: str, user_id: str) -> dict[str, Any] | None:
        """The document of a conversation; None where there is none, or it is somebody else's, or too old."""
        asked = select(conversations.c.document).where(
            conversations.c.conversation_id == conversation_id,
            conversations.c.user_id == user_id,
            conversations.c.changed >= self._clock() - self._forget,
        )
        with self._database.reading() as connection:
            found = connection.execute(asked).scalar()
        return None if found is None else dict(orjson.loads(found))

    def put(self, conversation_id: str, user_id: str, document: dict[str, Any]) -> None:
        """Keep a document in the place of what was there; somebody else's conversation is left alone.

        Raises:
            ValueError: the document is of more than 64 kB.
        """
        text = orjson.dumps(document).decode("utf-8")
        if len(text) > _LONGEST:
            raise ValueError(f"a conversation of {len(text)} bytes is too large to be kept")
        now = self._clock()
        row = {"conversation_id": conversation_id, "user_id": user_id, "document": text, "changed": now}
        owner = select(conversations.c.user_id).where(conversations.c.conversation_id == conversation_id)
        with self._database.writing() as connection:
            if connection.execute(owner.with_for_update()).scalar() in (None, user_id):
                upsert(connection, conversations, [row])
            self._tidy(connection, now)

    def _tidy(self, connection: Connection, now: int) -> None:
        """Forget what is too old, and what is too much; seldom."""
        with self._lock:
            if self._rising() - self._tidied < _TIDIED_EVERY:
                return
            self._tidied = self._rising()
        connection.execute(delete(conversations).where(conversations.c.changed < now - self._forget))
        number = connection.execute(select(func.count()).select_from(conversations)).scalar_one()
        if number > self._most:
            oldest = (
                select(conversations.c.conversation_id).order_by(conversations.c.changed).limit(number - self._most)
            )
            connection.execute(delete(conversations).where(conversations.c.conversation_id.in_(oldest)))
