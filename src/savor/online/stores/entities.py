"""Items and users that were changed since the bundle was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import select

from savor.core.clock import Clock, wall_clock
from savor.online.stores.counters import advance
from savor.online.stores.database import Database
from savor.online.stores.tables import entities
from savor.online.stores.upsert import upsert

EntityKind = Literal["item", "user"]
Document = Mapping[str, Any]
_AT_ONCE = 500


@dataclass(frozen=True)
class Entity:
    """The last that was said of an item or a user.

    Attributes:
        kind: `item` or `user`.
        id: its id.
        document: what was said; None where it was removed.
        version: rises with every change of any of them.
        changed: UTC seconds since the epoch.
    """

    kind: str
    id: str
    document: Document | None
    version: int
    changed: int


class EntityStore:
    """Items and users as JSON documents, with versions so that others can follow.

    Every method raises StoreAwayError where the database cannot be reached.

    Args:
        database: where they are.
        clock: for the moment of each change.
    """

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock

    def get(self, kind: EntityKind, identifier: str) -> Entity | None:
        """The last that was said of it, a removal too; None where nothing was."""
        asked = _SELECT.where(entities.c.kind == kind, entities.c.id == identifier)
        with self._database.reading() as connection:
            row = connection.execute(asked).first()
        return None if row is None else _entity(row)

    def put(self, kind: EntityKind, documents: Mapping[str, Document | None]) -> int:
        """Say this of all of them in one step, in the place of what was said before; None removes.

        What says nothing new gets no new version.

        Args:
            kind: `item` or `user`.
            documents: by id, whole documents.

        Returns:
            The version after it.
        """
        texts = {
            identifier: None
            if document is None
            else orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode("utf-8")
            for identifier, document in documents.items()
        }
        identifiers = sorted(texts)
        with self._database.writing() as connection:
            version = advance(connection, entities.name, 0)
            known: dict[str, str | None] = {}
            for start in range(0, len(identifiers), _AT_ONCE):
                some = entities.c.id.in_(identifiers[start : start + _AT_ONCE])
                found = connection.execute(_DOCUMENTS.where(entities.c.kind == kind, some))
                known.update({row.id: row.document for row in found})
            new = [name for name in identifiers if name not in known or known[name] != texts[name]]
            rows = [
                {"kind": kind, "id": name, "version": place, "document": texts[name], "changed": self._clock()}
                for place, name in enumerate(new, start=version)
            ]
            upsert(connection, entities, rows)
            return advance(connection, entities.name, len(rows)) + len(rows) - 1

    def merge(self, kind: EntityKind, identifier: str, changes: Document) -> Entity:
        """Lay `changes` over what was last said of it, in one step; what was removed begins anew.

        Returns:
            It as it is after that.
        """
        with self._database.writing() as connection:
            # Held from here on, so that nobody changes it in between.
            advance(connection, entities.name, 0)
            asked = _SELECT.where(entities.c.kind == kind, entities.c.id == identifier)
            row = connection.execute(asked).first()
            known = None if row is None else _entity(row)
            document = {**((known.document if known else None) or {}), **changes}
            if known is not None and known.document == document:
                return known
            version, changed = advance(connection, entities.name), self._clock()
            text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode("utf-8")
            values = {"kind": kind, "id": identifier, "version": version, "document": text, "changed": changed}
            upsert(connection, entities, [values])
        return Entity(kind, identifier, document, version, changed)

    def read_after(self, version: int, limit: int = 10_000, *, kind: EntityKind | None = None) -> list[Entity]:
        """Up to `limit` that changed after `version`, in the order of their versions, each as it is now.

        Args:
            version: the last that is known; 0 for all.
            limit: how many at most.
            kind: only these; None: both.
        """
        asked = _SELECT.where(entities.c.version > version).order_by(entities.c.version).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(asked if kind is None else asked.where(entities.c.kind == kind))
            return [_entity(row) for row in rows]


_SELECT = select(entities)
_DOCUMENTS = select(entities.c.id, entities.c.document)


def _entity(row: Any) -> Entity:
    return Entity(
        row.kind, row.id, None if row.document is None else orjson.loads(row.document), row.version, row.changed
    )
