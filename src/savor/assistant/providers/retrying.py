"""Trying again, within bounds."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from time import monotonic, sleep
from typing import Any, TypeVar

from savor.assistant.providers.errors import ProviderAwayError
from savor.assistant.providers.prompt import Prompt
from savor.assistant.providers.provider import Likelihoods, Piece, Provider

Value = TypeVar("Value")

_RESERVE = 3.0
_FIRST_WAIT = 0.03


class RetryBudget:
    """How many retries there may be: a share of the calls, and a few at once. Safe to use from several threads."""

    def __init__(self, share: float) -> None:
        self._share, self._tokens, self._lock = share, _RESERVE if share else 0.0, Lock()

    def called(self) -> None:
        """A call was made for the first time."""
        with self._lock:
            self._tokens = min(self._tokens + self._share, max(_RESERVE, 10 * self._share))

    def take(self) -> bool:
        """Whether one may be made again."""
        with self._lock:
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


class Retrying:
    """Calls again what failed before its first piece because the provider was away.

    Who is slow is not asked again. No retry begins when `window` seconds went by.

    Args:
        provider: that is called.
        retries: of one call.
        share: of all calls, in the long run.
        window: seconds from the call in which a retry may begin.
        wait: sleeps for so many seconds.
    """

    def __init__(
        self,
        provider: Provider,
        retries: int,
        share: float,
        window: float,
        wait: Callable[[float], None] = sleep,
    ) -> None:
        self._inner, self._retries, self._budget = provider, retries, RetryBudget(share)
        self._window, self._wait = window, wait
        self.name, self.remote = provider.name, provider.remote

    def complete(
        self, prompt: Prompt, *, limit: int, schema: Mapping[str, Any] | None = None, deadline: float
    ) -> Iterator[Piece]:
        """See Provider."""

        def begun() -> tuple[Iterator[Piece], Piece | None]:
            pieces = self._inner.complete(prompt, limit=limit, schema=schema, deadline=deadline)
            return pieces, next(pieces, None)

        pieces, first = self._again(begun, deadline)
        try:
            if first is not None:
                yield first
                yield from pieces
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
        """See Provider."""
        return self._again(lambda: self._inner.likelihoods(prompt, answers, deadline=deadline), deadline)

    def warm_up(self, prompt: Prompt | None = None) -> None:
        """See Provider."""
        self._inner.warm_up(prompt)

    def close(self) -> None:
        """See Provider."""
        self._inner.close()

    def _again(self, call: Callable[[], Value], deadline: float) -> Value:
        until = min(deadline, monotonic() + self._window)
        self._budget.called()
        tried = 0
        while True:
            try:
                return call()
            except ProviderAwayError:
                pause = _FIRST_WAIT * 2**tried * random.uniform(0.5, 1.5)
                if tried >= self._retries or monotonic() + pause >= until or not self._budget.take():
                    raise
                tried += 1
                self._wait(pause)
