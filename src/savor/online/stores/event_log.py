"""Append-only tables of what users did: numbered, each row once, nothing of erased persons."""

from collections.abc import Sequence
from typing import Any, Generic

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, insert, select

from savor.online.stores.counters import advance
from savor.online.stores.database import Database
from savor.online.stores.event_store import Appended, Batch, Page
from savor.online.stores.tombstones import Tombstones

_AT_ONCE = 500


class EventLog(Generic[Batch]):
    """One such table.

    Args:
        database: where it is.
        table: has `number` and the columns of `kind`; the first column of `kind` names a row.
        kind: the type of its batches, with `user_id`, `time` and `received` among the columns.
        tombstones: who is left out.
    """

    def __init__(self, database: Database, table: Table, kind: type[Batch], tombstones: Tombstones) -> None:
        self._database, self._table, self._kind, self._tombstones = database, table, kind, tombstones
        self._names = kind.names()
        identity = table.c[self._names[0]]
        self._insert = insert(table)
        self._select_known = select(identity).where(identity.in_(bindparam("names", expanding=True)))
        self._select = select(table.c.number, *(table.c[name] for name in self._names))

    def write(self, batches: Sequence[Batch]) -> list[Appended]:
        """Append all of `batches` in one transaction; what is there already, by its id, stays as it is.

        Raises:
            StoreAwayError: the database cannot be reached.
            StoreError: it refuses them; nothing is written.
        """
        if not any(len(batch) for batch in batches):
            return [Appended(0) for _ in batches]
        with self._database.writing() as connection:
            return self.write_in(connection, batches)

    def write_in(self, connection: Connection, batches: Sequence[Batch]) -> list[Appended]:
        """As `write`, in the transaction of `connection`."""
        rows = [[dict(zip(self._names, row, strict=True)) for row in batch.rows()] for batch in batches]
        every = [row for part in rows for row in part]
        if not every:
            return [Appended(0) for _ in batches]
        number = advance(connection, self._table.name, len(every))
        known = self._known(connection, every)
        erased = self._tombstones.among(connection, {row["user_id"] for row in every})
        new: list[dict[str, Any]] = []
        results = []
        for part in rows:
            accepted = left_out = 0
            for row in part:
                if min(row["time"], row["received"]) <= erased.get(row["user_id"], -1):
                    left_out += 1
                elif (name := row[self._names[0]]) not in known:
                    known.add(name)
                    accepted += 1
                    new.append({"number": number, **row})
                    number += 1
            results.append(Appended(accepted, len(part) - accepted - left_out, left_out))
        if new:
            connection.execute(self._insert, new)
        return results

    def read(
        self, cursor: int, limit: int, *where: ColumnElement[bool], query: Select[Any] | None = None
    ) -> Page[Batch]:
        """Up to `limit` rows after `cursor` for which all of `where` holds.

        Args:
            cursor: the last number that is known.
            limit: how many at most.
            where: conditions on the table.
            query: selects `number` and the columns of a batch, where they are not simply those of the table.

        Raises:
            StoreAwayError: the database cannot be reached.
        """
        number = self._table.c.number
        chosen = self._select if query is None else query
        with self._database.reading() as connection:
            found = connection.execute(chosen.where(number > cursor, *where).order_by(number).limit(limit)).all()
        return Page(self._kind.from_rows([row[1:] for row in found]), found[-1][0] if found else cursor)

    def _known(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> set[str]:
        names = [row[self._names[0]] for row in rows]
        found: set[str] = set()
        for start in range(0, len(names), _AT_ONCE):
            asked = {"names": names[start : start + _AT_ONCE]}
            found.update(connection.execute(self._select_known, asked).scalars())
        return found
