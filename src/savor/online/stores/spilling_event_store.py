"""Events that are acknowledged although the database is away."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from enum import Enum
from functools import partial
from pathlib import Path

from savor.online.event_batch import EventBatch
from savor.online.stores.errors import StoreAwayError, StoreError
from savor.online.stores.event_record import decode, encode
from savor.online.stores.event_store import Appended, EventStore, Page, StoreStatus
from savor.online.stores.group_commit import GroupCommit
from savor.online.stores.journal import Journal

_ROWS_AT_ONCE = 2000
_TICK = 0.25
_ADOPT_EVERY = 5.0
_LONGEST_PAUSE = 2.0
_LONGEST_ANSWER = 30.0


class _Mode(Enum):
    DIRECT = "events go to the store"
    SPILLING = "events go to the journal"
    DRAINING = "events wait for the last of the journal"


class SpillingEventStore:
    """An EventStore over another one and a journal on local disk.

    While the other store answers, events go straight to it. When it is away, or takes longer than `patience`, they are
    acknowledged from the journal, and a thread brings them over in their order as soon as it is back. What may have
    been written twice is kept once, by the ids of the events. What a process that died left in its journal is brought
    over by the next one that starts, or by one that shares the folder. While the last of the journal is brought over,
    new events wait for it, so that they do not overtake.

    Events that the store refuses when they are brought over are put aside in a file (`.refused`), journals with damage
    in their middle too (`.damaged`), and `status` counts both.

    Args:
        store: where events belong.
        journal: where they wait; used by nobody else.
        patience: seconds to wait for the store before it counts as away.
    """

    def __init__(self, store: EventStore, journal: Journal, *, patience: float = 2.0) -> None:
        self._store, self._journal, self._patience = store, journal, patience
        self._lock = threading.Condition()
        self._disk = threading.Lock()
        self._underway: dict[int, tuple[float, EventBatch, Future[Appended]]] = {}
        self._held: list[tuple[EventBatch, Future[Appended]]] = []
        self._calls = self._journalling = self._waiting = self._damaged = 0
        self._problem = ""
        self._tried = self._pause = 0.0
        self._closed = False
        self._mode = _Mode.DIRECT
        self._to_journal = GroupCommit(self._write_journal, len)
        if self._adopt():
            self._mode = _Mode.SPILLING
        self._thread = threading.Thread(target=self._run, name="savor-spill", daemon=True)
        self._thread.start()

    def submit(self, batch: EventBatch) -> Future[Appended]:
        """See EventStore; it fails only where the store refuses or the journal cannot be written either."""
        answer: Future[Appended] = Future()
        answer.set_running_or_notify_cancel()
        if self._closed:
            raise StoreAwayError("the store is closed")
        self._route(batch, answer)
        return answer

    def append(self, batch: EventBatch) -> Appended:
        """See EventStore."""
        return self.submit(batch).result()

    def read_after(self, cursor: int, limit: int = 10_000) -> Page[EventBatch]:
        """See EventStore; what waits in the journal is not among them yet."""
        self._must_be_there()
        return self._store.read_after(cursor, limit)

    def last(self) -> int:
        """See EventStore; what waits in the journal is not counted yet."""
        self._must_be_there()
        return self._store.last()

    def of_user(self, user_id: str, *, since: int = 0, limit: int = 1000) -> EventBatch:
        """See EventStore; what waits in the journal is not among them yet."""
        self._must_be_there()
        return self._store.of_user(user_id, since=since, limit=limit)

    def status(self) -> StoreStatus:
        """See EventStore."""
        with self._lock:
            return StoreStatus(self._mode is _Mode.DIRECT, self._problem, self._waiting, self._damaged)

    def close(self) -> None:
        """See EventStore; what is in the journal stays for the next process."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()
        self._thread.join()
        self._store.close()
        self._to_journal.close()
        with self._disk:
            self._journal.close()

    def _must_be_there(self) -> None:
        if self._mode is not _Mode.DIRECT:
            raise StoreAwayError(self._problem or "the journal is being brought over")

    def _route(self, batch: EventBatch, answer: Future[Appended]) -> None:
        with self._lock:
            if self._mode is _Mode.DRAINING:
                self._held.append((batch, answer))
                return
            direct = self._mode is _Mode.DIRECT
            self._calls += 1
            number = self._calls
            if direct:
                self._underway[number] = (time.monotonic() + self._patience, batch, answer)
            else:
                self._journalling += 1
        if direct:
            self._send(number, batch)
        else:
            self._spill(batch, answer)

    def _send(self, number: int, batch: EventBatch) -> None:
        try:
            sent = self._store.submit(batch)
        except StoreAwayError as error:
            self._rescue(number, str(error))
        else:
            sent.add_done_callback(partial(self._settle, number))

    def _settle(self, number: int, sent: Future[Appended]) -> None:
        error = sent.exception()
        if isinstance(error, StoreAwayError):
            self._rescue(number, str(error))
            return
        with self._lock:
            call = self._underway.pop(number, None)
        if call is not None and error is not None:
            call[2].set_exception(error)
        elif call is not None:
            call[2].set_result(sent.result())

    def _rescue(self, number: int, problem: str) -> None:
        """Put into the journal what the store did not take."""
        with self._lock:
            if self._mode is _Mode.DIRECT:
                self._mode, self._problem = _Mode.SPILLING, problem
                self._tried, self._pause = time.monotonic(), _TICK
            call = self._underway.pop(number, None)
            if call is None:
                return
            self._journalling += 1
        self._spill(call[1], call[2])

    def _spill(self, batch: EventBatch, answer: Future[Appended]) -> None:
        try:
            written = self._to_journal.submit(batch)
        except StoreError as error:
            written = Future()
            written.set_exception(error)
        written.add_done_callback(partial(self._spilled, len(batch), answer))

    def _spilled(self, rows: int, answer: Future[Appended], written: Future[None]) -> None:
        error = written.exception()
        with self._lock:
            self._journalling -= 1
            if error is None:
                self._waiting += rows
                self._mode = _Mode.SPILLING if self._mode is _Mode.DIRECT else self._mode
            self._lock.notify_all()
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(Appended(rows, spilled=True))

    def _write_journal(self, batches: Sequence[EventBatch]) -> list[None]:
        records = [encode(batch) for batch in batches]
        with self._disk:
            self._journal.append(records)
        return [None] * len(records)

    def _run(self) -> None:
        adopted = time.monotonic()
        while not self._closed:
            with self._lock:
                if not self._closed and (self._pause or self._mode is not _Mode.SPILLING):
                    self._lock.wait(_TICK)
            self._rescue_overdue()
            now = time.monotonic()
            if now - adopted >= _ADOPT_EVERY and self._mode is _Mode.DIRECT:
                adopted = now
                if self._adopt():
                    self._mode = _Mode.SPILLING
            if self._mode is _Mode.SPILLING and now - self._tried >= self._pause and not self._closed:
                done = self._empty_journal()
                self._tried = time.monotonic()
                self._pause = 0.0 if done else min(max(2 * self._pause, _TICK), _LONGEST_PAUSE)

    def _empty_journal(self) -> bool:
        """Bring everything over and go back to the store; False where that must be tried again."""
        try:
            return self._bring_over() and self._drain()
        except Exception as error:  # noqa: BLE001  # events wait for this thread, so it must go on
            with self._lock:
                self._problem = str(error)
            return False

    def _rescue_overdue(self) -> None:
        now = time.monotonic()
        with self._lock:
            overdue = [number for number, (deadline, *_) in self._underway.items() if deadline <= now]
        for number in overdue:
            self._rescue(number, f"the store has not answered for {self._patience:g} s")

    def _adopt(self) -> bool:
        """Take over journals that processes left behind; whether there were any."""
        with self._disk:
            own = set(self._journal.sealed())
            self._journal.adopt()
            left_behind = [path for path in self._journal.sealed() if path not in own]
        for path in left_behind:
            with suppress(StoreError):
                rows = sum(map(len, self._open(path)[0]))
                with self._lock:
                    self._waiting += rows
        return bool(left_behind)

    def _bring_over(self) -> bool:
        """Append the journal to the store; False where the store is still away."""
        with self._disk:
            self._journal.seal()
            paths = self._journal.sealed()
        return all(self._bring(path) for path in paths)

    def _bring(self, path: Path) -> bool:
        batches, unreadable, damaged = self._open(path)
        together: list[EventBatch] = []
        for batch in batches:
            together.append(batch)
            if sum(map(len, together)) >= _ROWS_AT_ONCE:
                if not self._offer(together):
                    return False
                together = []
        if together and not self._offer(together):
            return False
        if unreadable:
            self._put_aside(unreadable)
        with self._disk:
            self._journal.remove(path, keep_as=".damaged" if damaged else None)
        with self._lock:
            self._waiting -= sum(map(len, batches))
            self._damaged += int(damaged)
        return True

    def _offer(self, batches: Sequence[EventBatch]) -> bool:
        """Append `batches`, one by one where the store refuses them together; False where it is away."""
        try:
            self._wait_for(self._store.submit(EventBatch.concatenate(batches)))
        except StoreAwayError as error:
            with self._lock:
                self._problem = str(error)
            return False
        except StoreError:
            if len(batches) > 1:
                return all(self._offer([batch]) for batch in batches)
            self._put_aside([encode(batches[0])])
        return True

    def _put_aside(self, records: Sequence[bytes]) -> None:
        with self._disk:
            self._journal.put_aside(records, ".refused")
        with self._lock:
            self._damaged += len(records)

    def _wait_for(self, sent: Future[Appended]) -> None:
        """Wait for the store: briefly while new events wait too, and longer while they go to the journal."""
        longest = self._patience if self._mode is _Mode.DRAINING else _LONGEST_ANSWER
        deadline = time.monotonic() + longest
        while not self._closed and (left := deadline - time.monotonic()) > 0:
            with suppress(TimeoutError):
                sent.result(min(left, _TICK))
                return
            self._rescue_overdue()
        raise StoreAwayError(f"the store has not answered for {longest:g} s")

    def _open(self, path: Path) -> tuple[list[EventBatch], list[bytes], bool]:
        """The batches in a file, the records that are none, and whether there is damage."""
        segment = self._journal.read(path)
        batches, unreadable = [], []
        for record in segment.records:
            try:
                batches.append(decode(record))
            except StoreError:
                unreadable.append(record)
        return batches, unreadable, segment.damaged > 0

    def _drain(self) -> bool:
        """Bring over what came meanwhile, with new events waiting, and go back to the store."""
        with self._lock:
            self._mode = _Mode.DRAINING
            self._lock.wait_for(lambda: not self._journalling)
        done = False
        try:
            done = self._bring_over()
        finally:
            with self._lock:
                self._mode = _Mode.DIRECT if done else _Mode.SPILLING
                self._problem = "" if done else self._problem
                held, self._held = self._held, []
            for batch, answer in held:
                self._route(batch, answer)
        return done
