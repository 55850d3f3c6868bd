"""Something that takes long to make and is wanted at once by many."""

from collections.abc import Callable
from threading import Condition, Thread
from typing import Generic, TypeVar

from savor.core.errors import SavorError

Value = TypeVar("Value")


class Prepared(Generic[Value]):
    """Made when first asked for, once, in a thread: whoever cannot wait is told so. Safe from several threads.

    Args:
        make: makes it; a `SavorError` is kept, and raised for everybody.
        name: what it is, for people.
        patience: seconds that even those wait who cannot, so that what is made in a moment is there at once.
    """

    def __init__(self, make: Callable[[], Value], name: str, patience: float = 0.01) -> None:
        self._make, self._name, self._patience = make, name, patience
        self._value: Value | None = None
        self._error: Exception | None = None
        self._thread: Thread | None = None
        self._made = Condition()

    def get(self, *, wait: bool) -> Value:
        """The value.

        Raises:
            SavorError: it cannot be made, or is not made yet and `wait` is False (code `not_prepared`).
        """
        with self._made:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="savor-prepare", daemon=True)
                self._thread.start()
            self._made.wait_for(self._ended, None if wait else self._patience)
            if self._error is not None:
                raise self._error
            if self._value is None:
                raise SavorError(f"{self._name} is being made ready; later answers will have it", code="not_prepared")
            return self._value

    def _ended(self) -> bool:
        return self._value is not None or self._error is not None

    def _run(self) -> None:
        value: Value | None = None
        error: Exception | None = None
        try:
            value = self._make()
        except Exception as problem:  # noqa: BLE001 - whoever asks for it is told
            error = problem
        with self._made:
            self._value, self._error = value, error
            self._made.notify_all()
