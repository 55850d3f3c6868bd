"""Events in the live database."""

from concurrent.futures import Future

from sqlalchemy import func, literal, select

from savor.online.event_batch import EventBatch
from savor.online.stores.counters import last_numbers
from savor.online.stores.database import Database
from savor.online.stores.errors import StoreAwayError, StoreError
from savor.online.stores.event_log import EventLog
from savor.online.stores.event_store import Appended, Page, StoreStatus
from savor.online.stores.group_commit import GroupCommit
from savor.online.stores.tables import events, visitors
from savor.online.stores.tombstones import Tombstones


class DatabaseEventStore:
    """An EventStore in SQLite or PostgreSQL; callers at one time share a transaction.

    Args:
        database: where they are kept.
        tombstones: whose events are left out.
    """

    def __init__(self, database: Database, tombstones: Tombstones) -> None:
        self._database = database
        self._log = EventLog(database, events, EventBatch, tombstones)
        self._commits = GroupCommit(self._log.write, len)

    def submit(self, batch: EventBatch) -> Future[Appended]:
        """See EventStore."""
        return self._commits.submit(batch)

    def append(self, batch: EventBatch) -> Appended:
        """See EventStore."""
        return self._commits.submit(batch).result()

    def read_after(self, cursor: int, limit: int = 10_000) -> Page[EventBatch]:
        """See EventStore."""
        user = func.coalesce(visitors.c.user_id, events.c.user_id).label("user_id")
        columns = [user if name == "user_id" else events.c[name] for name in EventBatch.names()]
        joined = events.outerjoin(visitors, visitors.c.visitor_id == events.c.user_id)
        return self._log.read(cursor, limit, query=select(events.c.number, *columns).select_from(joined))

    def last(self) -> int:
        """See EventStore."""
        with self._database.reading() as connection:
            return last_numbers(connection).get(events.name, 0)

    def of_user(self, user_id: str, *, since: int = 0, limit: int = 1000) -> EventBatch:
        """See EventStore."""
        merged = select(visitors.c.visitor_id).where(visitors.c.user_id == user_id)
        them = select(literal(user_id)).union_all(merged)
        columns = [literal(user_id) if name == "user_id" else events.c[name] for name in EventBatch.names()]
        newest = (
            select(*columns)
            .where(events.c.user_id.in_(them), events.c.time >= since)
            .order_by(events.c.time.desc(), events.c.number.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return EventBatch.from_rows(connection.execute(newest).all()[::-1])

    def status(self) -> StoreStatus:
        """See EventStore."""
        try:
            self._database.ping()
        except (StoreAwayError, StoreError) as error:
            return StoreStatus(False, str(error))
        return StoreStatus(True)

    def close(self) -> None:
        """See EventStore; the database stays open."""
        self._commits.close()
