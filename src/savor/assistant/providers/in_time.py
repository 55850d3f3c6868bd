"""Work in a thread of its own, handed over piece by piece until a deadline."""

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import Generic, TypeVar

from savor.assistant.providers.errors import ProviderAwayError, ProviderBusyError, ProviderError, ProviderSlowError

Value = TypeVar("Value")


class Outlet(Generic[Value]):
    """Where the work puts what it makes.

    Attributes:
        deadline: moment of `time.monotonic()` after which nobody waits.
        queued: whether the work waits behind other work: then it is not slow itself.
    """

    def __init__(self, deadline: float) -> None:
        self.deadline, self.queued = deadline, False
        self._queue: SimpleQueue[tuple[Value] | Exception | None] = SimpleQueue()
        self._stopped = Event()

    @property
    def stopped(self) -> bool:
        """Whether nobody waits any more: the work should end."""
        return self._stopped.is_set() or monotonic() >= self.deadline

    @property
    def left(self) -> float:
        """Seconds until the deadline, at least 0."""
        return 0.0 if self._stopped.is_set() else max(0.0, self.deadline - monotonic())

    def put(self, value: Value) -> None:
        """Hand over."""
        self._queue.put((value,))

    def stop(self) -> None:
        """Nobody waits any more."""
        self._stopped.set()

    def end(self, error: Exception | None) -> None:
        """Nothing comes after this."""
        self._queue.put(error)

    def take(self, seconds: float) -> tuple[Value] | None:
        """What comes next; None at the end.

        Raises:
            Empty: nothing came in `seconds`.
            Exception: that of the work.
        """
        got = self._queue.get(timeout=max(0.0, seconds)) if seconds > 0 else self._queue.get_nowait()
        if isinstance(got, Exception):
            raise got
        return got


def in_time(
    work: Callable[[Outlet[Value]], None], deadline: float, name: str, patience: float | None = None
) -> Iterator[Value]:
    """What `work` puts into its outlet, as it comes; closing the iterator tells the work to stop.

    Args:
        work: runs in a thread, and ends soon after its outlet is stopped.
        deadline: moment of `time.monotonic()` by which all must be there.
        name: of who works, for messages.
        patience: seconds within which the first must be there; None: as long as the deadline lets.

    Raises:
        ProviderSlowError: the deadline has come.
        ProviderBusyError: it has come, or patience has ended, while the work was still in a queue.
        ProviderAwayError: the work failed in a way of its own.
        ProviderError: one that the work raised.
    """
    outlet: Outlet[Value] = Outlet(deadline)

    def run() -> None:
        error: Exception | None = None
        try:
            work(outlet)
        except ProviderError as raised:
            error = raised
        except Exception as raised:  # noqa: BLE001
            error = ProviderAwayError(f"{name}: {type(raised).__name__}: {raised}")
        # Work that was stopped ends quietly with a part of its answer, which must not pass for the whole.
        outlet.end(_slow(name, "its answer") if error is None and outlet.stopped else error)

    if monotonic() >= deadline:
        raise _slow(name, "its answer")
    first = deadline if patience is None else min(deadline, monotonic() + patience)
    Thread(target=run, name=f"savor {name}", daemon=True).start()
    try:
        until = first
        while True:
            try:
                got = outlet.take(until - monotonic())
            except Empty:
                if outlet.queued:
                    raise ProviderBusyError(f"{name} is busy with other calls") from None
                what = "its first words" if until == first and until < deadline else "its answer"
                raise _slow(name, what) from None
            if got is None:
                return
            until = deadline
            yield got[0]
    finally:
        outlet.stop()


def _slow(name: str, what: str) -> ProviderSlowError:
    return ProviderSlowError(f"{name} takes too long for {what}")
