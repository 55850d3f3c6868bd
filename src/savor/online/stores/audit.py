"""Who did what, when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from savor.core.clock import Clock, wall_clock
from savor.online.stores.counters import advance
from savor.online.stores.database import Database
from savor.online.stores.tables import audit


@dataclass(frozen=True)
class AuditEntry:
    """One deed.

    Attributes:
        number: rises.
        time: UTC seconds since the epoch.
        actor: id of the API key, or `command line`.
        action: what was done, as `bundle.activate` or `user.erase`.
        subject: id of what it was done to; for persons `Tombstones.digest` of the id, so that nothing need be erased.
        detail: anything else that JSON can say, without personal data.
    """

    number: int
    time: int
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


class Audit:
    """Deeds, in order; the database itself refuses to change or delete them.

    Every method raises StoreAwayError where the database cannot be reached.

    Args:
        database: where they are.
        clock: for the moment of each.
    """

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock

    def record(self, actor: str, action: str, subject: str = "", detail: Mapping[str, Any] | None = None) -> None:
        """Write one down."""
        with self._database.writing() as connection:
            self.record_in(connection, actor, action, subject, detail)

    def record_in(
        self,
        connection: Connection,
        actor: str,
        action: str,
        subject: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Write one down in the transaction of `connection`, so that it stands with the deed or falls with it."""
        values = {"number": advance(connection, audit.name), "time": self._clock(), "actor": actor, "action": action}
        values |= {"subject": subject, "detail": orjson.dumps(dict(detail or {})).decode("utf-8")}
        connection.execute(audit.insert(), values)

    def read_after(self, number: int, limit: int = 1000) -> list[AuditEntry]:
        """Up to `limit` entries after `number` (0: from the start), oldest first."""
        with self._database.reading() as connection:
            later = select(audit).where(audit.c.number > number).order_by(audit.c.number).limit(limit)
            return [_entry(row) for row in connection.execute(later)]

    def latest(self, limit: int = 100) -> list[AuditEntry]:
        """The last `limit` entries, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(audit).order_by(audit.c.number.desc()).limit(limit))
            return [_entry(row) for row in rows]


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(row.number, row.time, row.actor, row.action, row.subject, orjson.loads(row.detail))
