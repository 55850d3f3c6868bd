"""Removing a person."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import orjson
from sqlalchemy import delete, select

from savor.online.moment import MICROSECONDS, Microclock, wall_microclock
from savor.online.stores.audit import Audit
from savor.online.stores.counters import hold_all
from savor.online.stores.database import Database
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.tables import (
    assistant_usage,
    conversations,
    entities,
    erasures,
    events,
    exposures,
    kept_lists,
    outcomes,
    visitors,
)
from savor.online.stores.tombstones import Tombstones


@dataclass(frozen=True)
class Receipt:
    """What was removed.

    Attributes:
        id: of this receipt.
        digest: the keyed hash that stands for the person from now on.
        erased: UTC seconds since the epoch.
        removed: how many rows of each table.
    """

    id: str
    digest: str
    erased: int
    removed: Mapping[str, int]


class Erasure:
    """Removes all that the live database knows of a person, and lets nothing of it come back.

    That is events, kept list, profile, exposures, outcomes, conversations, what language models used for them, and the
    visitors who became this user with theirs. What is in memory (hot states, followers) is for their owners to drop;
    `Tombstones.read_after` tells them.

    Args:
        database: where everything is.
        tombstones: where the person is remembered as somebody to leave out.
        audit: where it is written down, without the id.
        clock: now.
    """

    def __init__(
        self, database: Database, tombstones: Tombstones, audit: Audit, clock: Microclock = wall_microclock
    ) -> None:
        self._database, self._tombstones, self._audit, self._clock = database, tombstones, audit, clock

    def erase(self, user_id: str, *, actor: str, also: Sequence[str] = ()) -> Receipt:
        """Remove a person in one step; for somebody unknown nothing is removed and the tombstone is set all the same.

        Args:
            user_id: the person.
            actor: who wants it, for the audit.
            also: other ids of the same person, as a pseudonym.

        Raises:
            StoreAwayError: the database cannot be reached; nothing was done.
        """
        with self._database.writing() as connection:
            hold_all(connection)
            tombstone = self._tombstones.put(connection, user_id, self._clock())
            merged = connection.execute(select(visitors.c.visitor_id).where(visitors.c.user_id.in_([user_id, *also])))
            ids = [*dict.fromkeys([user_id, *also, *merged.scalars()])]
            for other in ids[1:]:
                self._tombstones.put(connection, other, tombstone.erased)
            removed = {
                str(table.name): connection.execute(delete(table).where(where)).rowcount
                for table, where in (
                    (events, events.c.user_id.in_(ids)),
                    (kept_lists, kept_lists.c.customer_id.in_(ids)),
                    (entities, (entities.c.kind == "user") & entities.c.id.in_(ids)),
                    (exposures, exposures.c.user_id.in_(ids)),
                    (outcomes, outcomes.c.user_id.in_(ids)),
                    (conversations, conversations.c.user_id.in_(ids)),
                    (assistant_usage, assistant_usage.c.user_id.in_(ids)),
                    (visitors, visitors.c.user_id.in_(ids)),
                )
            }
            receipt = Receipt(uuid4().hex, tombstone.digest, tombstone.erased // MICROSECONDS, removed)
            values = {"receipt_id": receipt.id, "digest": receipt.digest, "erased": receipt.erased}
            connection.execute(erasures.insert(), {**values, "removed": orjson.dumps(removed).decode("utf-8")})
            self._audit.record_in(connection, actor, "user.erase", receipt.digest, {"receipt": receipt.id})
        with suppress(StoreAwayError):
            self._database.forget_free_space()
        return receipt

    def receipts(self, user_id: str) -> list[Receipt]:
        """Every erasure of this person, oldest first.

        Raises:
            StoreAwayError: the database cannot be reached.
        """
        asked = (
            select(erasures).where(erasures.c.digest == self._tombstones.digest(user_id)).order_by(erasures.c.erased)
        )
        with self._database.reading() as connection:
            return [
                Receipt(row.receipt_id, row.digest, row.erased, orjson.loads(row.removed))
                for row in connection.execute(asked)
            ]
