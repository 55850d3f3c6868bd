"""A connection to Redis that does without it for a while when it is away."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from savor.core.errors import ConfigError, MissingDependencyError
from savor.data.sources.address import without_password
from savor.online.stores.errors import StoreAwayError

Answer = TypeVar("Answer")


class RedisLink:
    """Calls to one Redis server; after a failure, the next is tried only when a pause is over.

    So a server that is away costs one timeout in a while, and not one for each request. Safe to use from several
    threads.

    Args:
        client: of redis-py.
        name: the address as it may be shown.
        pause: seconds.
        clock: rising seconds.
    """

    def __init__(
        self, client: Any, name: str = "Redis", *, pause: float = 1.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self._client, self._name, self._pause, self._clock = client, name, pause, clock
        self._until = float("-inf")
        self._lock = threading.Lock()
        self.problem = ""
        """Why it is away; empty where the last call reached it."""

    @classmethod
    def open(cls, url: str, *, timeout: float = 0.1, pause: float = 1.0) -> "RedisLink":
        """A link to the server at `url` (`redis://`, `rediss://` or `unix://`); the first call connects.

        Args:
            url: its address.
            timeout: seconds to wait for a connection or an answer.
            pause: seconds to do without it after a failure.

        Raises:
            ConfigError: it is no such address.
            MissingDependencyError: redis-py is not installed.
        """
        try:
            from redis import Redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ModuleNotFoundError:
            raise MissingDependencyError("redis", "redis") from None
        try:
            client = Redis.from_url(
                url,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                retry=Retry(NoBackoff(), 1),
            )
        except ValueError as error:
            raise ConfigError([f"redis: {without_password(url)} is not an address of Redis ({error})"]) from None
        return cls(client, without_password(url), pause=pause)

    def script(self, text: str) -> Any:
        """A Lua script, to be called within `call` with `keys` and `args`."""
        return self._client.register_script(text)

    def call(self, work: Callable[[], Answer]) -> Answer:
        """Do `work`, which speaks to the server.

        Raises:
            StoreAwayError: the server is away, or was a moment ago.
        """
        if self._clock() < self._until:
            raise StoreAwayError(self.problem)
        from redis.exceptions import RedisError

        try:
            answer = work()
        except (RedisError, OSError) as error:
            with self._lock:
                self.problem = f"{self._name} cannot be used now ({error})"
                self._until = self._clock() + self._pause
            raise StoreAwayError(self.problem) from error
        if self.problem:
            with self._lock:
                self.problem = ""
        return answer

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
