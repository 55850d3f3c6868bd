"""Which release runs on how many devices."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

from sqlalchemy import Connection, delete, func, select, update

from savor.core.clock import Clock, wall_clock
from savor.online.stores.database import Database
from savor.online.stores.tables import devices
from savor.online.stores.upsert import upsert

DAY = 86_400
_REMEMBERED = 100_000
_COUNTED_FOR = 60.0


@dataclass(frozen=True)
class Sighting:
    """What a device said when it asked.

    Attributes:
        device: its id, random and of no person; only a hash of it is kept.
        channel: that it asked for.
        release: that runs on it; None where it has none yet.
        failed: that it refused and will not try again for a while; None where there is none.
    """

    device: str
    channel: str
    release: str | None = None
    failed: str | None = None


@dataclass(frozen=True)
class DeviceCount:
    """How many devices say the same: `release` runs on `running` of them, and `failed` refused it."""

    channel: str
    release: str
    running: int
    failed: int


class Devices:
    """One row for each device, with what it said last. Safe to use from several threads.

    A device that says the same again within a quarter of a day is not written again. Every method raises StoreAwayError
    where the database cannot be reached.

    Args:
        database: where they are.
        forget_days: after how many days of silence a device is forgotten.
        most: how many are known at most; further ones are served and not counted.
        clock: for the moment of each sighting.
        rising: rising seconds.
    """

    def __init__(
        self,
        database: Database,
        *,
        forget_days: float = 90.0,
        most: int = 1_000_000,
        clock: Clock = wall_clock,
        rising: Callable[[], float] = monotonic,
    ) -> None:
        self._database, self._forget, self._most = database, int(forget_days * DAY), most
        self._clock, self._rising = clock, rising
        self._written: OrderedDict[str, tuple[Sighting, int]] = OrderedDict()
        self._lock, self._counting = threading.Lock(), threading.Lock()
        self._room, self._counted = 0, float("-inf")

    def news(self, sighting: Sighting) -> bool:
        """Whether `saw` would write; answers from memory."""
        name = device_digest(sighting.device)
        with self._lock:
            known = self._written.get(name)
        return known is None or known[0] != replace(sighting, device=name) or self._clock() - known[1] >= DAY // 4

    def saw(self, sighting: Sighting) -> None:
        """Keep what a device said, in the place of what it said before."""
        if not self.news(sighting):
            return
        said, now = replace(sighting, device=device_digest(sighting.device)), self._clock()
        row = {"channel": said.channel, "release_id": said.release, "failed_id": said.failed, "last_seen": now}
        with self._database.writing() as connection:
            known = connection.execute(update(devices).where(devices.c.device == said.device).values(row)).rowcount
            if not known and self._may_grow(connection, now):
                upsert(connection, devices, [{"device": said.device, "first_seen": now, **row}])
        with self._lock:
            self._written[said.device] = (said, now)
            self._written.move_to_end(said.device)
            if len(self._written) > _REMEMBERED:
                self._written.popitem(last=False)

    def counts(self, days: float = 30.0) -> list[DeviceCount]:
        """How many devices seen in the last `days` say the same, by channel and release."""
        since = devices.c.last_seen >= self._clock() - int(days * DAY)
        found: dict[tuple[str, str], list[int]] = {}
        with self._database.reading() as connection:
            for place, column in enumerate((devices.c.release_id, devices.c.failed_id)):
                asked = select(devices.c.channel, column, func.count()).where(since, column.is_not(None))
                for channel, release, count in connection.execute(asked.group_by(devices.c.channel, column)):
                    found.setdefault((channel, release), [0, 0])[place] = count
        return [DeviceCount(*key, *numbers) for key, numbers in sorted(found.items())]

    def _may_grow(self, connection: Connection, now: int) -> bool:
        """Whether there is room for one more; counts seldom, and forgets the silent ones before."""
        with self._counting:
            if self._rising() - self._counted >= _COUNTED_FOR:
                connection.execute(delete(devices).where(devices.c.last_seen < now - self._forget))
                number = connection.execute(select(func.count()).select_from(devices)).scalar_one()
                self._room, self._counted = self._most - number, self._rising()
            self._room -= 1
            return self._room >= 0


def device_digest(device: str) -> str:
    """What stands for a device in the database."""
    return hashlib.sha256(f"savor device {device}".encode()).hexdigest()[:32]
