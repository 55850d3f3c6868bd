"""API keys in memory, so that checking one waits for no database."""

import threading
from collections.abc import Callable
from time import monotonic

from savor.online.stores.api_keys import ApiKey, ApiKeys, KeyRecord, check
from savor.online.stores.errors import StoreAwayError


class KeyRing:
    """The keys as of some seconds ago; while the database is away, as they were last.

    A key that was revoked opens nothing after at most `seconds`.

    Args:
        keys: where they are kept.
        seconds: how old what is in memory may be.
        clock: rising seconds.
    """

    def __init__(self, keys: ApiKeys, seconds: float = 5.0, clock: Callable[[], float] = monotonic) -> None:
        self._keys, self._seconds, self._clock = keys, seconds, clock
        self._records: dict[str, KeyRecord] | None = None
        self._read = 0.0
        self._reading = threading.Lock()
        self.problem = ""
        """Why what is in memory could not be renewed; empty where it could."""

    def verify(self, shown: str) -> ApiKey | None:
        """The valid key that `shown` is the text of; None where there is none.

        Raises:
            StoreAwayError: the database was away from the start.
        """
        return check(self.records(), shown)

    def renew(self) -> None:
        """Read the keys again before they are too old, so that no caller has to.

        Raises:
            StoreAwayError: as `verify`.
        """
        if self._records is None or self._clock() - self._read >= self._seconds / 2:
            self._renew(self._seconds / 2)

    def records(self) -> dict[str, KeyRecord]:
        """All keys; one caller renews them, and the others do not wait for it.

        Raises:
            StoreAwayError: as `verify`.
        """
        known = self._records
        if known is not None and (self._clock() - self._read < self._seconds or self._reading.locked()):
            return known
        return self._renew(self._seconds)

    def _renew(self, seconds: float) -> dict[str, KeyRecord]:
        with self._reading:
            if self._records is not None and self._clock() - self._read < seconds:
                return self._records
            try:
                self._records, self.problem = self._keys.records(), ""
            except StoreAwayError as error:
                if self._records is None:
                    raise
                self.problem = str(error)
            self._read = self._clock()
            return self._records
