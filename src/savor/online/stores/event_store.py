"""What every store of events promises."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from savor.online.column_batch import ColumnBatch
from savor.online.event_batch import EventBatch

Batch = TypeVar("Batch", bound=ColumnBatch)


@dataclass(frozen=True)
class Appended:
    """What became of the rows of one batch; every one of them is durable or needs not be kept.

    Attributes:
        accepted: rows that are new.
        duplicates: rows that were there already, by their id.
        erased: rows left out because they are about a person who was erased.
        spilled: whether the database was away, so that they are in the journal and duplicates are found later.
    """

    accepted: int
    duplicates: int = 0
    erased: int = 0
    spilled: bool = False


@dataclass(frozen=True)
class Page(Generic[Batch]):
    """Some rows, oldest first, and the cursor that asks for what comes after them."""

    rows: Batch
    cursor: int


@dataclass(frozen=True)
class StoreStatus:
    """How a store is.

    Attributes:
        reachable: whether the last call reached it.
        problem: why not.
        waiting: acknowledged rows that are in the journal and not yet in the database.
        damaged: pieces of journals that could not be read and were put aside.
    """

    reachable: bool
    problem: str = ""
    waiting: int = 0
    damaged: int = 0


class EventStore(Protocol):
    """Events, durable before they are acknowledged, each kept once. Safe to use from several threads."""

    def submit(self, batch: EventBatch) -> Future[Appended]:
        """Append without waiting: the future is done when all of `batch` is durable. `asyncio.wrap_future` awaits it.

        It fails with StoreAwayError where the store cannot be reached, and StoreError where it refuses; the same batch
        may be given again in either case.
        """

    def append(self, batch: EventBatch) -> Appended:
        """Append and wait; repeated events, by their ids, change nothing.

        Raises:
            StoreAwayError: the store cannot be reached.
            StoreError: it refuses the batch.
        """

    def read_after(self, cursor: int, limit: int = 10_000) -> Page[EventBatch]:
        """Up to `limit` events that were kept after those of `cursor` (0: from the start), in the order they were kept.

        No event is ever passed over: what becomes visible later has a later place. Events of a visitor who became a
        user bear the user's id.

        Raises:
            StoreAwayError: the store cannot be reached.
        """

    def last(self) -> int:
        """The cursor after which nothing is kept at this moment.

        Raises:
            StoreAwayError: the store cannot be reached.
        """

    def of_user(self, user_id: str, *, since: int = 0, limit: int = 1000) -> EventBatch:
        """The newest `limit` events of the user from the moment `since` (UTC microseconds), oldest first.

        Those of visitors who became this user are among them.

        Raises:
            StoreAwayError: the store cannot be reached.
        """

    def status(self) -> StoreStatus:
        """How it is; never fails."""

    def close(self) -> None:
        """Write what is waiting and give everything back."""


def event_batches(store: EventStore, size: int = 50_000, after: int = 0) -> Iterator[EventBatch]:
    """All events that are kept when it is called and those that come meanwhile, in batches of at most `size`.

    For writing them elsewhere (`EventBatch.names` are the columns), without holding them all.
    """
    page = store.read_after(after, size)
    while len(page.rows):
        yield page.rows
        page = store.read_after(page.cursor, size)
