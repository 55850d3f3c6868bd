"""What happens while the service runs, followed by this process and held in its memory."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswerError
from time import monotonic
from typing import TypeVar

import numpy as np

from savor.online.change_signal import ChangeSignal
from savor.online.event_batch import EventBatch
from savor.online.stores.counters import last_numbers
from savor.online.stores.entities import Entity
from savor.online.stores.errors import StoreError
from savor.online.stores.hot_states import Recent
from savor.online.stores.stores import Stores
from savor.online.stores.tombstones import NEVER
from savor.online.visitor_ids import is_visitor

logger = logging.getLogger("savor.online")
Found = TypeVar("Found")
_ROWS_AT_ONCE = 5000
_FOLLOWED = ("tombstones", "visitors", "entities", "events")
_PAUSE = 1.0


class LiveFeed:
    """Recent events, merged visitors, changed profiles and erasures, as of a moment ago.

    What this process takes itself is there at once (`took`, `merged`, `changed`). A thread follows what others write:
    each `seconds` it asks the database in one small query whether anything is new. Processes on one machine tell each
    other by a shared file, so that the very next question in any of them finds what one of them took. Of a user who is
    asked for the first time, what the database knows is read once, for at most `patience` seconds.

    No method fails because a store is away: what is in memory stays usable, and `problem` says so.

    Args:
        stores: of the service.
        signal: tells processes of one machine of changes; None: they are found by looking.
        seconds: between two looks.
        patience: seconds that a question may wait for the database.
        most_events: how many of the newest events are read at the start.
        most_users: of how many users it is remembered that they are in memory.
        most_of_user: how many events of one user are read.
    """

    def __init__(
        self,
        stores: Stores,
        signal: ChangeSignal | None = None,
        *,
        seconds: float = 0.2,
        patience: float = 0.25,
        most_events: int = 50_000,
        most_users: int = 100_000,
        most_of_user: int = 200,
    ) -> None:
        self._stores, self._signal, self._seconds, self._patience = stores, signal, seconds, patience
        self._most_events, self._most_users, self._most_of_user = most_events, most_users, most_of_user
        self._follows = (self._follow_tombstones, self._follow_visitors, self._follow_users, self._follow_events)
        self._places: dict[str, int] = {}
        self._whole = self._from_the_start = False
        self._read: OrderedDict[str, None] = OrderedDict()
        self._users: OrderedDict[str, Entity] = OrderedDict()
        self._merges: dict[str, str] = {}
        self._all_merges = False
        self._erased: dict[str, int] = {}
        self._problem = "recent events were not read yet"
        self._away_until = float("-inf")
        self._lock = threading.Lock()
        self._following = threading.Lock()
        self._pool = ThreadPoolExecutor(2, "savor-live")
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.erasures: list[Callable[[], None]] = []
        """Called when somebody was erased, for those who hold users in memory."""
        stores.hot_states.when_dropped(self._dropped)

    def start(self) -> None:
        """Read what is there, and go on following."""
        self._look()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="savor-follow", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End; the stores stay open."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._pool.shutdown(cancel_futures=True)
        if self._signal is not None:
            self._signal.close()

    def resolve(self, user_id: str) -> str:
        """The user that a visitor became; else the id as it is."""
        if not is_visitor(user_id):
            return user_id
        if not self._all_merges and user_id not in self._merges and user_id not in self._read:
            self._within_patience(lambda: self._read_visitor(user_id))
        return self._merges.get(user_id, user_id)

    def recent(self, user_id: str) -> Recent:
        """The last events of the user (not of a visitor who became one), as `HotStates.recent`."""
        if self._signal is not None and self._signal.changed():
            self._within_patience(self.follow)
        recent = self._stores.hot_states.recent(user_id)
        if not self._whole and user_id not in self._read:
            if self._within_patience(lambda: self._read_user(user_id)):
                recent = self._stores.hot_states.recent(user_id)
            else:
                return Recent(recent.events, self._problem or "the store did not answer in time")
        return Recent(recent.events, recent.problem or self._problem)

    def profile(self, user_id: str) -> Entity | None:
        """The last that was said of the user, a removal too; ask for `recent` first."""
        return self._users.get(user_id)

    def erased(self, user_id: str) -> int:
        """When the user was erased (UTC microseconds); -1 where that never happened."""
        return self._erased.get(self._stores.tombstones.digest(user_id), NEVER) if self._erased else NEVER

    def users(self) -> list[str]:
        """The ids of those this process knows something recent of."""
        return list(dict.fromkeys([*self._stores.hot_states.users(), *self._users]))

    def problem(self) -> str:
        """Why what others wrote may be missing; empty where it is not."""
        return self._problem or self._stores.hot_states.problem()

    @property
    def database_problem(self) -> str:
        """Why the database cannot be followed; empty where it can."""
        return self._problem

    def took(self, batch: EventBatch) -> None:
        """Take in events that this process acknowledged."""
        self._add(batch)
        self._tell()

    def merged(self, visitor_id: str, user_id: str) -> None:
        """A visitor became a user, and the hot states know of it."""
        self._merge(visitor_id, user_id)
        self._tell()

    def changed(self) -> None:
        """Take in what this process wrote to the database just now: users, erasures."""
        self.follow_if_there()
        self._tell()

    def follow_if_there(self) -> None:
        """`follow`, and note it where the database is away."""
        try:
            self.follow()
        except StoreError as error:
            self._away(str(error))

    def follow(self) -> None:
        """Take in everything that is new in the database.

        Raises:
            StoreAwayError: it cannot be reached.
        """
        with self._following:
            with self._stores.database.reading() as connection:
                now = last_numbers(connection)
            places = {name: now.get(name, 0) for name in _FOLLOWED}
            if not self._places:
                most = {"events": self._most_events, "entities": self._most_users, "visitors": self._most_users}
                self._places = {name: max(last - most.get(name, last), 0) for name, last in places.items()}
                self._from_the_start = not (self._places["events"] or self._places["entities"])
                self._all_merges = not self._places["visitors"]
            for name, follow in zip(_FOLLOWED, self._follows, strict=True):
                if places[name] > self._places[name]:
                    follow()
                    # Numbers up to this one are all visible, so what was not found is not there.
                    self._places[name] = max(self._places[name], places[name])
            if self._from_the_start:
                self._whole, self._from_the_start = len(self._users) < self._most_users, False
            self._problem, self._away_until = "", float("-inf")

    def _run(self) -> None:
        pause = self._seconds
        while not self._ended.wait(pause):
            pause = self._seconds if self._look() else max(self._seconds, _PAUSE)

    def _look(self) -> bool:
        """Follow; False where that was not possible."""
        try:
            self.follow()
            self._stores.key_ring.renew()
        except StoreError as error:
            self._away(str(error))
        except Exception as error:  # whatever it is, the next look must come
            logger.exception("following the live database failed")
            self._away(f"{type(error).__name__} while it was read")
        else:
            return True
        return False

    def _away(self, problem: str) -> None:
        self._problem = problem
        self._away_until = monotonic() + _PAUSE

    def _within_patience(self, work: Callable[[], None]) -> bool:
        """Do `work` while the caller waits, but not for long; False where it is not done."""
        if monotonic() < self._away_until or self._ended.is_set():
            return False
        try:
            self._pool.submit(work).result(self._patience)
        except NoAnswerError:
            self._away(f"the database has not answered for {self._patience:g} s")
        except StoreError as error:
            self._away(str(error))
        else:
            return True
        return False

    def _read_visitor(self, visitor_id: str) -> None:
        user_id = self._stores.visitors.user_of(visitor_id)
        if user_id is not None:
            self._stores.hot_states.merge(visitor_id, user_id)
            self._merge(visitor_id, user_id)

    def _read_user(self, user_id: str) -> None:
        entity = self._stores.entities.get("user", user_id)
        events = self._stores.events.of_user(user_id, limit=self._most_of_user)
        if len(events):
            self._add(events, shared=True)
        with self._lock:
            if entity is not None:
                self._keep(entity)
            self._read[user_id] = None
            while len(self._read) > self._most_users:
                self._read.popitem(last=False)

    def _follow_tombstones(self) -> None:
        place, new = self._places["tombstones"], dict[str, int]()
        while found := self._stores.tombstones.read_after(place):
            new.update({one.digest: one.erased for one in found})
            place = found[-1].version
        self._erased.update(new)
        digest = self._stores.tombstones.digest
        self._merges = {
            visitor: user for visitor, user in self._merges.items() if not {digest(visitor), digest(user)} & new.keys()
        }
        gone = [user_id for user_id in self.users() if digest(user_id) in new]
        self._stores.hot_states.forget(gone)
        for user_id in gone:
            with self._lock:
                self._users.pop(user_id, None)
            self._read_user(user_id)
        self._places["tombstones"] = place
        for listener in self.erasures:
            listener()

    def _follow_visitors(self) -> None:
        while found := self._stores.visitors.read_after(self._places["visitors"]):
            for one in found:
                if self._merges.get(one.visitor_id) != one.user_id:
                    self._merge(one.visitor_id, one.user_id)
                    self._stores.hot_states.merge(one.visitor_id, one.user_id)
            self._places["visitors"] = found[-1].version

    def _merge(self, visitor_id: str, user_id: str) -> None:
        """Remember a merge; what the database knows of the user is more than before."""
        self._merges[visitor_id] = user_id
        while len(self._merges) > self._most_users:
            del self._merges[next(iter(self._merges))]
            self._all_merges = False
        self._read.pop(user_id, None)

    def _follow_users(self) -> None:
        while found := self._stores.entities.read_after(self._places["entities"], _ROWS_AT_ONCE, kind="user"):
            with self._lock:
                for entity in found:
                    self._keep(entity)
            self._places["entities"] = found[-1].version

    def _follow_events(self) -> None:
        while True:
            page = self._stores.events.read_after(self._places["events"], _ROWS_AT_ONCE)
            if not len(page.rows):
                return
            self._add(page.rows, shared=True)
            self._places["events"] = page.cursor

    def _add(self, batch: EventBatch, *, shared: bool = False) -> None:
        """Put into the hot states what is not from before an erasure; `shared` where others know it already."""
        if self._erased:
            erased = np.array([self.erased(user_id) for user_id in batch.user_id], np.int64)
            kept = np.minimum(batch.time, batch.received) > erased
            batch = batch if kept.all() else batch.take(np.flatnonzero(kept))
        self._stores.hot_states.add(batch, shared=shared)

    def _keep(self, entity: Entity) -> None:
        known = self._users.pop(entity.id, None)
        self._users[entity.id] = entity if known is None or known.version <= entity.version else known
        while len(self._users) > self._most_users:
            self._dropped(self._users.popitem(last=False)[0])

    def _dropped(self, user_id: str) -> None:
        """The hot states let go of a user: the database is asked when they are wanted again."""
        self._whole = self._from_the_start = False
        self._read.pop(user_id, None)

    def _tell(self) -> None:
        if self._signal is not None:
            self._signal.give()
