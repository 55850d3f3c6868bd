"""What people did and said, kept on the device and nowhere else unless they agree."""

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

from savor_edge.errors import EdgeError
from savor_edge.event import checked_event, identifier

FORMAT_VERSION = 1
VISITOR = "visitor-"
_KEPT, _SENT, _REFUSED = 0, 1, 2
_TABLES = """
create table if not exists events (
    number integer primary key autoincrement,
    event_id text not null unique,
    user_id text not null,
    shared integer not null,
    state integer not null,
    event text not null
) strict;
create index if not exists events_of_user on events (user_id, number);
create index if not exists events_to_send on events (number) where shared = 1 and state = 0;
create table if not exists people (user_id text primary key, profile text not null) strict;
create table if not exists settings (name text primary key, value text not null) strict;
"""


class Recorded(NamedTuple):
    """How many events are new, and how many were there before by their `event_id`."""

    accepted: int
    duplicates: int


class Pending(NamedTuple):
    """An event that waits to be sent."""

    number: int
    event: dict[str, Any]


class PersonStore:
    """Events, profiles, consent and the device's name in one SQLite file. Safe from several threads and processes.

    What `record` returns from is on the disk. Events leave the device only through `pending`, which gives none without
    consent.

    Args:
        path: of the file; None keeps everything in memory, and it is gone with the process.
        clock: gives UTC milliseconds.
    """

    def __init__(self, path: Path | None, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self.clock = clock
        self._path, self._lock = path, RLock()
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path, timeout=10, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.execute("pragma secure_delete = on")
            version = self._connection.execute("pragma user_version").fetchone()[0]
            if version not in (0, FORMAT_VERSION):
                raise EdgeError(
                    f"{path} has format {version}, and this version of savor-edge reads {FORMAT_VERSION}: update "
                    "savor-edge",
                    code="store_invalid",
                )
            self._connection.executescript(_TABLES)
            self._connection.execute(f"pragma user_version = {FORMAT_VERSION}")
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def record(self, events: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> Recorded:
        """Keep one event or several, all of them or none.

        Raises:
            EdgeError: an event is none (code `event_invalid`), or the disk refuses (code `store_invalid`).
        """
        now = self.clock()
        checked = [checked_event(event, now) for event in ([events] if isinstance(events, Mapping) else events)]
        with self._writing() as connection:
            shared = int(self.consent)
            before = connection.total_changes
            connection.executemany(
                "insert into events (event_id, user_id, shared, state, event) values (?, ?, ?, ?, ?) "
                "on conflict (event_id) do nothing",
                [(event["event_id"], event["user_id"], shared, _KEPT, _json(event)) for event in checked],
            )
            accepted = connection.total_changes - before
        return Recorded(accepted, len(checked) - accepted)

    def events(self, user_id: str, after: int = 0) -> Iterator[Pending]:
        """The events of one person in the order recorded, those with a number above `after`."""
        rows = self._read(
            "select number, event from events where user_id = ? and number > ? order by number", user_id, after
        )
        return (Pending(number, json.loads(event)) for number, event in rows)

    def extent(self, user_id: str) -> tuple[int, int]:
        """How many events of one person there are, and the number of the last, 0 for none; no number comes twice."""
        query = "select count(*), coalesce(max(number), 0) from events where user_id = ?"
        count, last = self._read(query, user_id)[0]
        return int(count), int(last)

    def profile(self, user_id: str) -> dict[str, Any]:
        """What a person said of themselves, by column."""
        rows = self._read("select profile from people where user_id = ?", user_id)
        return dict(json.loads(rows[0][0])) if rows else {}

    def put_profile(self, user_id: str, profile: Mapping[str, Any]) -> None:
        """Keep what a person says of themselves in the place of what they said before."""
        with self._writing() as connection:
            connection.execute("insert or replace into people values (?, ?)", (user_id, _json(dict(profile))))

    def erase(self, user_id: str | None = None) -> int:
        """Forget a person, or with None everybody, the device's name and consent too; how many events are gone."""
        with self._writing() as connection:
            if user_id is None:
                gone = connection.execute("delete from events").rowcount
                connection.execute("delete from people")
                connection.execute("delete from settings")
            else:
                gone = connection.execute("delete from events where user_id = ?", (user_id,)).rowcount
                connection.execute("delete from people where user_id = ?", (user_id,))
        with self._lock:
            self._connection.execute("pragma wal_checkpoint(truncate)")
        return int(gone)

    @property
    def device(self) -> str:
        """32 hexadecimal digits, drawn once: what the server tells devices apart by, and nothing of a person."""
        return self._setting("device", lambda: secrets.token_hex(16))

    @property
    def visitor(self) -> str:
        """The id of the person whose device this is, drawn once; the server takes it for an anonymous visitor."""
        return self._setting("visitor", lambda: VISITOR + secrets.token_hex(16))

    @property
    def consent(self) -> bool:
        """Whether the person agrees that events are sent to the server."""
        return bool(self._read("select 1 from settings where name = 'consent' and value = 'yes'"))

    def set_consent(self, agreed: bool, *, include_earlier: bool = False) -> None:
        """Say whether events may be sent from now on.

        Args:
            agreed: False stops at once: what was not sent yet will not be, even if they agree again.
            include_earlier: send what happened before too.
        """
        with self._writing() as connection:
            connection.execute("insert or replace into settings values ('consent', ?)", ("yes" if agreed else "no",))
            if not agreed:
                connection.execute("update events set shared = 0 where state = ?", (_KEPT,))
            elif include_earlier:
                connection.execute("update events set shared = 1 where state = ?", (_KEPT,))

    def pending(self, most: int) -> list[Pending]:
        """The oldest events that may be sent and were not; none without consent."""
        if not self.consent:
            return []
        rows = self._read(
            "select number, event from events where shared = 1 and state = 0 order by number limit ?", most
        )
        return [Pending(number, json.loads(event)) for number, event in rows]

    @property
    def number_pending(self) -> int:
        """How many events wait to be sent."""
        if not self.consent:
            return 0
        return int(self._read("select count(*) from events where shared = 1 and state = 0")[0][0])

    def sent(self, numbers: Sequence[int]) -> None:
        """The server has these events."""
        self._mark(numbers, _SENT)

    def refused(self, numbers: Sequence[int]) -> None:
        """The server will never take these events; they stay in the history and are not sent again."""
        self._mark(numbers, _REFUSED)

    def _mark(self, numbers: Sequence[int], state: int) -> None:
        with self._writing() as connection:
            connection.executemany("update events set state = ? where number = ?", [(state, one) for one in numbers])

    def _setting(self, name: str, make: Callable[[], str]) -> str:
        if rows := self._read("select value from settings where name = ?", name):
            return str(rows[0][0])
        with self._writing() as connection:
            connection.execute("insert or ignore into settings values (?, ?)", (name, make()))
        return str(self._read("select value from settings where name = ?", name)[0][0])

    def _read(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise self._unusable(error) from None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("begin immediate")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.execute("rollback")
                    raise
                self._connection.execute("commit")
            except sqlite3.Error as error:
                raise self._unusable(error) from None

    def _unusable(self, error: Exception) -> EdgeError:
        return EdgeError(
            f"the file of events {self._path or 'in memory'} cannot be used ({error}); free some space or mend it, "
            "then do it again",
            code="store_invalid",
        )


def user_name(user_id: Any) -> str:
    """A user id as text.

    Raises:
        EdgeError: it is none (code `request_invalid`).
    """
    problems: list[str] = []
    text = identifier(user_id, "user_id", problems)
    if problems:
        raise EdgeError(problems[0], code="request_invalid")
    return text


def _json(value: Mapping[str, Any]) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise EdgeError(f"this cannot be kept: {error}", code="request_invalid") from None
