"""Not asking a provider that is known to be away or slow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event, Lock, Thread
from typing import Any

from savor.assistant.providers.errors import ProviderAwayError, ProviderError, ProviderSlowError
from savor.assistant.providers.prompt import Prompt
from savor.assistant.providers.provider import Likelihoods, Piece, Provider


class Guarded:
    """A circuit breaker: after a call that failed or was slow before its first piece, calls fail at once.

    Meanwhile the provider is warmed up again and again in the background; the first success lets calls through.
    So one person meets a provider that has become slow, and nobody after. One that is busy with others is not slow.

    Args:
        provider: that is called.
        recover: seconds between two trials.
    """

    def __init__(self, provider: Provider, recover: float) -> None:
        self._inner, self._recover = provider, recover
        self.name, self.remote = provider.name, provider.remote
        self._failure: ProviderError | None = None
        self._lock, self._closed = Lock(), Event()
        self._trying = False
        self._prompt: Prompt | None = None

    @property
    def failure(self) -> ProviderError | None:
        """Why calls fail at once; None where they go through."""
        return self._failure

    def complete(
        self, prompt: Prompt, *, limit: int, schema: Mapping[str, Any] | None = None, deadline: float
    ) -> Iterator[Piece]:
        """See Provider."""
        self._admit()
        pieces = self._inner.complete(prompt, limit=limit, schema=schema, deadline=deadline)
        try:
            first = self._watched(lambda: next(pieces, None))
            if first is not None:
                yield first
                yield from pieces
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    def likelihoods(self, prompt: str, answers: Sequence[str], *, deadline: float) -> Likelihoods:
        """See Provider. Too little time for this many answers says nothing of the provider."""
        self._admit()
        try:
            return self._inner.likelihoods(prompt, answers, deadline=deadline)
        except ProviderAwayError as error:
            self._trip(error)
            raise

    def warm_up(self, prompt: Prompt | None = None) -> None:
        """See Provider. Until it is done, calls fail at once as slow; the prompt is used for later trials too."""
        self._prompt = prompt
        self._failure = self._failure or ProviderSlowError(f"{self.name} is being made ready")
        try:
            self._inner.warm_up(prompt)
        except ProviderError as error:
            self._trip(error)
            raise
        self._failure = None

    def warm_up_in_background(self, prompt: Prompt | None = None) -> None:
        """`warm_up` in a thread, again and again until it succeeds."""
        self._prompt = prompt
        self._trip(ProviderSlowError(f"{self.name} is being made ready"))

    def close(self) -> None:
        """See Provider."""
        self._closed.set()
        self._inner.close()

    def _admit(self) -> None:
        failure = self._failure
        if failure is not None:
            raise type(failure)(str(failure), code=failure.code)

    def _watched(self, call: Callable[[], Piece | None]) -> Piece | None:
        try:
            return call()
        except (ProviderAwayError, ProviderSlowError) as error:
            self._trip(error)
            raise

    def _trip(self, error: ProviderError) -> None:
        with self._lock:
            self._failure = error
            if self._trying or self._closed.is_set():
                return
            self._trying = True
        Thread(target=self._try, name=f"savor {self.name} recovery", daemon=True).start()

    def _try(self) -> None:
        while not self._closed.is_set():
            try:
                self._inner.warm_up(self._prompt)
            except Exception as error:  # noqa: BLE001
                failed = error if isinstance(error, ProviderError) else ProviderAwayError(f"{self.name}: {error}")
                with self._lock:
                    self._failure = failed
                self._closed.wait(self._recover)
                continue
            with self._lock:
                self._failure, self._trying = None, False
            return
        with self._lock:
            self._trying = False
