"""Keys that callers of the API show."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select, update

from savor.core.clock import Clock, wall_clock
from savor.online.stores.database import Database
from savor.online.stores.errors import StoreError
from savor.online.stores.tables import api_keys

Scope = Literal["device", "read", "write", "admin"]
SCOPES: tuple[Scope, ...] = ("device", "read", "write", "admin")
_WRITTEN = re.compile(r"savor_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_SALT_BYTES = 16


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept: without the secret.

    Attributes:
        id: 12 hexadecimal digits.
        name: what a person calls it.
        scopes: what it opens; `admin` opens everything.
        created: UTC seconds since the epoch.
        revoked: the same, from when it opens nothing; None where it is valid.
    """

    id: str
    name: str
    scopes: frozenset[str]
    created: int
    revoked: int | None

    def allows(self, scope: Scope) -> bool:
        """Whether it opens what needs `scope`."""
        return self.revoked is None and (scope in self.scopes or "admin" in self.scopes)


@dataclass(frozen=True)
class KeyRecord:
    """A key with what its secret is checked by."""

    key: ApiKey
    salt: bytes
    digest: bytes

    def fits(self, secret: str) -> bool:
        """Whether this is its secret; takes the same time for every wrong one."""
        return hmac.compare_digest(_digest(self.salt, secret), self.digest)


class ApiKeys:
    """The keys of a service.

    Secrets are 256 random bits, which no search can find, so one salted SHA-256 protects them and a check costs
    microseconds. Every method raises StoreAwayError where the database cannot be reached.

    Args:
        database: where they are.
        clock: for the moment of each change.
    """

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock

    def create(self, name: str, scopes: Collection[Scope]) -> tuple[ApiKey, str]:
        """A new key, and the text to show with requests, which is known only now.

        Raises:
            StoreError: there is no scope, or an unknown one.
        """
        if not scopes or not set(scopes) <= set(SCOPES):
            raise StoreError(f"a key needs scopes out of {', '.join(SCOPES)}; got {', '.join(scopes) or 'none'}")
        key = ApiKey(secrets.token_hex(6), name, frozenset(scopes), self._clock(), None)
        secret, salt = secrets.token_urlsafe(32), secrets.token_bytes(_SALT_BYTES)
        values: dict[str, object] = {"key_id": key.id, "name": name, "salt": salt, "digest": _digest(salt, secret)}
        values |= {"scopes": " ".join(sorted(scopes)), "created": key.created, "revoked": None}
        with self._database.writing() as connection:
            connection.execute(api_keys.insert(), values)
        return key, f"savor_{key.id}_{secret}"

    def verify(self, shown: str) -> ApiKey | None:
        """The valid key that `shown` is the text of; None where there is none."""
        written = _WRITTEN.fullmatch(shown)
        return None if written is None else check(self.records(written[1]), shown)

    def revoke(self, key_id: str) -> bool:
        """Make a key open nothing, for ever; False where there is none, or it is revoked already."""
        valid = (api_keys.c.key_id == key_id, api_keys.c.revoked.is_(None))
        with self._database.writing() as connection:
            return connection.execute(update(api_keys).where(*valid).values(revoked=self._clock())).rowcount > 0

    def list(self) -> list[ApiKey]:
        """All keys, oldest first."""
        return [record.key for record in self.records().values()]

    def records(self, key_id: str | None = None) -> dict[str, KeyRecord]:
        """All keys by their ids, or the one, with what their secrets are checked by."""
        asked = select(api_keys).order_by(api_keys.c.created, api_keys.c.key_id)
        with self._database.reading() as connection:
            rows = connection.execute(asked if key_id is None else asked.where(api_keys.c.key_id == key_id)).all()
        found = {}
        for row in rows:
            key = ApiKey(row.key_id, row.name, frozenset(row.scopes.split()), row.created, row.revoked)
            found[key.id] = KeyRecord(key, bytes(row.salt), bytes(row.digest))
        return found


def check(records: dict[str, KeyRecord], shown: str) -> ApiKey | None:
    """The valid key among `records` that `shown` is the text of; None where there is none."""
    written = _WRITTEN.fullmatch(shown)
    record = records.get(written[1]) if written else None
    if record is None or written is None or record.key.revoked is not None or not record.fits(written[2]):
        return None
    return record.key


def _digest(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode("utf-8")).digest()
