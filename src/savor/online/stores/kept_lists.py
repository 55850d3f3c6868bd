"""Lists of recommendations that customers keep."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, delete, select

from savor.core.clock import Clock, wall_clock
from savor.core.errors import DataError
from savor.online.stores.database import Database
from savor.online.stores.tables import kept_lists
from savor.online.stores.upsert import upsert


@dataclass(frozen=True)
class KeptList:
    """What a customer keeps.

    Attributes:
        items: n ids, best first, each once.
        scores: n numbers.
        detail: anything else that JSON can say (recommendation id, bundle, how ids were written).
        changed: UTC seconds since the epoch; set by the store.
    """

    items: tuple[str, ...]
    scores: tuple[float, ...]
    detail: Mapping[str, Any] = field(default_factory=dict)
    changed: int = 0

    def __post_init__(self) -> None:
        if len(self.items) != len(self.scores) or len(set(self.items)) != len(self.items):
            raise DataError("a kept list must have each item once, and one score for each")

    def without(self, items: Collection[str]) -> "KeptList":
        """The list with none of `items`."""
        left = [(item, score) for item, score in zip(self.items, self.scores, strict=True) if item not in items]
        return KeptList(tuple(item for item, _ in left), tuple(score for _, score in left), self.detail, self.changed)


class KeptLists:
    """One list for each customer, the last one written.

    Every method raises StoreAwayError where the database cannot be reached.

    Args:
        database: where they are.
        clock: for the moment of each change.
    """

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock

    def get(self, customer_id: str) -> KeptList | None:
        """What the customer keeps; None where there never was a list, or it was deleted."""
        with self._database.reading() as connection:
            return _read(connection, customer_id, lock=False)

    def put(self, customer_id: str, kept: KeptList) -> KeptList:
        """Keep this list in the place of any other; the answer bears the moment."""
        with self._database.writing() as connection:
            return self._write(connection, customer_id, kept)

    def remove(self, customer_id: str, items: Collection[str]) -> KeptList | None:
        """Take `items` off the list, and what is not on it is no mistake; None where there is no list."""
        with self._database.writing() as connection:
            kept = _read(connection, customer_id, lock=True)
            return None if kept is None else self._write(connection, customer_id, kept.without(set(items)))

    def delete(self, customer_id: str) -> bool:
        """Delete the list; whether there was one."""
        with self._database.writing() as connection:
            gone = connection.execute(delete(kept_lists).where(kept_lists.c.customer_id == customer_id))
        return gone.rowcount > 0

    def _write(self, connection: Connection, customer_id: str, kept: KeptList) -> KeptList:
        written = KeptList(kept.items, kept.scores, dict(kept.detail), self._clock())
        document = orjson.dumps([written.items, written.scores, written.detail]).decode("utf-8")
        row = {"customer_id": customer_id, "document": document, "changed": written.changed}
        upsert(connection, kept_lists, [row])
        return written


def _read(connection: Connection, customer_id: str, *, lock: bool) -> KeptList | None:
    asked = select(kept_lists.c.document, kept_lists.c.changed).where(kept_lists.c.customer_id == customer_id)
    row = connection.execute(asked.with_for_update() if lock else asked).first()
    if row is None:
        return None
    items, scores, detail = orjson.loads(row.document)
    return KeptList(tuple(items), tuple(scores), detail, row.changed)
