"""One transaction for all who call at once."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from savor.online.stores.errors import StoreAwayError, StoreError

Given = TypeVar("Given")
Done = TypeVar("Done")

_MOST_WAITING = 10_000


class GroupCommit(Generic[Given, Done]):
    """Writes what concurrent callers give in one go and answers each after it is durable.

    A thread takes what is there and writes it; what arrives meanwhile is the next group. So a lone caller waits for
    nothing but its own commit, and many callers share one (as in the group commit of database logs). After a group of
    several, the thread lingers for others that were answered with them and are about to call again.

    Args:
        write: makes all of them durable in one step and returns one result for each, in order.
        size: how much of `most` one of them takes.
        most: how much is written in one step at most, unless one alone is larger.
        linger: seconds to wait for company after a group of several.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Given]], Sequence[Done]],
        size: Callable[[Given], int],
        *,
        most: int = 5000,
        linger: float = 0.0005,
    ) -> None:
        self._write, self._size, self._most, self._linger = write, size, most, linger
        self._waiting: queue.SimpleQueue[tuple[Given, Future[Done]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False

    def submit(self, given: Given) -> Future[Done]:
        """Hand over `given`; the future is done when it is durable.

        Raises:
            StoreAwayError: too many are waiting, or the store is closed. The future fails with what `write` raises.
        """
        if self._closed or self._waiting.qsize() >= _MOST_WAITING:
            raise StoreAwayError(
                "the store is closed" if self._closed else "the store does not keep up with the writes"
            )
        if self._thread is None:
            self._start()
        future: Future[Done] = Future()
        self._waiting.put((given, future))
        return future

    def close(self) -> None:
        """Write what is waiting and end."""
        with self._starting:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="savor-group-commit", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        held: tuple[Given, Future[Done]] | None = None
        company = False
        while True:
            first = held or self._waiting.get()
            if first is None:
                return
            group, held, ended = self._gather(first, company)
            company = len(group) > 1
            self._commit([one for one in group if one[1].set_running_or_notify_cancel()])
            if ended:
                return

    def _gather(
        self, first: tuple[Given, Future[Done]], company: bool
    ) -> tuple[list[tuple[Given, Future[Done]]], tuple[Given, Future[Done]] | None, bool]:
        """The group that `first` begins, one that is for the next group, and whether to end after it."""
        group, amount = [first], self._size(first[0])
        while amount < self._most:
            try:
                following = self._waiting.get(timeout=self._linger) if company else self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return group, None, True
            amount += self._size(following[0])
            if amount > self._most:
                return group, following, False
            group.append(following)
        return group, None, False

    def _commit(self, group: Sequence[tuple[Given, Future[Done]]]) -> None:
        if not group:
            return
        try:
            results = self._write([given for given, _ in group])
        except BaseException as error:  # noqa: BLE001  # whoever waits must learn of it
            if len(group) > 1 and isinstance(error, StoreError) and not isinstance(error, StoreAwayError):
                for one in group:
                    self._commit([one])
                return
            for _, future in group:
                future.set_exception(error)
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)
