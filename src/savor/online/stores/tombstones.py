"""Who was erased, remembered without knowing who it was."""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, select

from savor.online.stores.counters import advance
from savor.online.stores.database import Database
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.tables import tombstones

_DIGITS = 32
_CHECK_DIGITS = 16
_AT_ONCE = 500
_AMONG = select(tombstones.c.digest, tombstones.c.erased).where(
    tombstones.c.digest.in_(bindparam("digests", expanding=True))
)
NEVER = -1
"""The moment of erasure of somebody who was not erased."""


@dataclass(frozen=True)
class Tombstone:
    """That somebody was erased: `digest` of the id, `erased` in UTC microseconds, `version` for those who follow."""

    digest: str
    erased: int
    version: int


class Tombstones:
    """Keyed hashes of the ids of erased persons.

    What such a person did up to the moment of erasure is left out wherever it comes from: a repeated request, a
    journal, the next ingest. What somebody with the same id does later is kept.

    Args:
        database: where they are.
        key: of the hashes; without it nobody can tell from the database who was erased.
    """

    def __init__(self, database: Database, key: bytes) -> None:
        self._database, self._key = database, key
        self._check = hmac.digest(key, b"key of tombstones", "sha256").hex()[:_CHECK_DIGITS]
        self._checked = False

    def digest(self, user_id: str) -> str:
        """What stands for `user_id`: 32 hexadecimal digits of HMAC-SHA-256."""
        return hmac.digest(self._key, b"erased\0" + user_id.encode("utf-8"), "sha256").hex()[:_DIGITS]

    def among(self, connection: Connection, user_ids: Collection[str]) -> dict[str, int]:
        """Those of `user_ids` who were erased, with the moment (UTC microseconds), in the transaction of `connection`.

        Raises:
            StoreAwayError: the tombstones there are of another key.
        """
        self._check_key(connection)
        ids = {self.digest(user_id): user_id for user_id in user_ids}
        digests = list(ids)
        found: dict[str, int] = {}
        for start in range(0, len(digests), _AT_ONCE):
            rows = connection.execute(_AMONG, {"digests": digests[start : start + _AT_ONCE]})
            found.update({ids[digest]: erased for digest, erased in rows})
        return found

    def moments(self, user_ids: Sequence[str]) -> NDArray[np.int64]:
        """(N,) UTC microseconds when each of `user_ids` was erased; -1 where that never happened.

        What the next ingest asks: it leaves out the profile of such a person, and their events up to that moment.

        Raises:
            StoreAwayError: the database cannot be reached.
        """
        with self._database.reading() as connection:
            found = self.among(connection, user_ids)
        return np.array([found.get(user_id, NEVER) for user_id in user_ids], np.int64)

    def read_after(self, version: int, limit: int = 10_000) -> list[Tombstone]:
        """Up to `limit` tombstones later than `version`, in order: for those who hold users in memory.

        Raises:
            StoreAwayError: the database cannot be reached.
        """
        columns = (tombstones.c.digest, tombstones.c.erased, tombstones.c.version)
        later = select(*columns).where(tombstones.c.version > version).order_by(tombstones.c.version).limit(limit)
        with self._database.reading() as connection:
            return [Tombstone(*row) for row in connection.execute(later)]

    def put(self, connection: Connection, user_id: str, erased: int) -> Tombstone:
        """Remember that `user_id` was erased at `erased` (UTC microseconds), in the transaction of `connection`."""
        self._check_key(connection)
        made = Tombstone(self.digest(user_id), erased, advance(connection, tombstones.name))
        connection.execute(tombstones.delete().where(tombstones.c.digest == made.digest))
        values = {"digest": made.digest, "erased": erased, "version": made.version, "key_check": self._check}
        connection.execute(tombstones.insert(), values)
        return made

    def _check_key(self, connection: Connection) -> None:
        if self._checked:
            return
        others = select(tombstones.c.digest).where(tombstones.c.key_check != self._check).limit(1)
        if connection.execute(others).first() is not None:
            raise StoreAwayError(
                "persons were erased from this database under another key, so it cannot be told who they were; "
                "set SAVOR_ERASURE_KEY to the key of that time",
                code="erasure_key_wrong",
            )
        self._checked = True
