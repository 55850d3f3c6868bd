"""How much a caller may ask for in a while."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from savor.core.errors import ConfigError

_MOST_KEYS = 100_000


@dataclass(frozen=True)
class TokenBucket:
    """A limit: a bucket holds up to `burst` tokens, and `rate` of them come back each second."""

    rate: float
    burst: float

    def __post_init__(self) -> None:
        if not (0 < self.rate < math.inf and 1 <= self.burst < math.inf):
            raise ConfigError([f"a rate limit needs a rate above 0 and a burst of at least 1; got {self}"])


@dataclass(frozen=True)
class Allowance:
    """The answer to one request.

    Attributes:
        allowed: whether it may go on.
        remaining: whole tokens that are left.
        retry_after: seconds until the same request would be allowed; 0 where it is, infinite where it is more than
            the bucket holds.
        problem: why other servers do not count with this one; empty where they do.
    """

    allowed: bool
    remaining: int
    retry_after: float
    problem: str = ""


class RateLimiter(Protocol):
    """Token buckets by key. Safe to use from several threads; never fails because a server is away."""

    def take(self, key: str, cost: float = 1.0) -> Allowance:
        """Take `cost` tokens from the bucket of `key`, which is full at first; a refusal takes none."""


class MemoryRateLimiter:
    """Token buckets in this process.

    Args:
        bucket: the limit of each key.
        clock: rising seconds.
    """

    def __init__(self, bucket: TokenBucket, clock: Callable[[], float] = monotonic) -> None:
        self._bucket, self._clock = bucket, clock
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, cost: float = 1.0) -> Allowance:
        """See RateLimiter."""
        with self._lock:
            now = self._clock()
            tokens, then = self._tokens.pop(key, (self._bucket.burst, now))
            tokens = min(self._bucket.burst, tokens + max(0.0, now - then) * self._bucket.rate)
            allowed = cost <= tokens
            tokens -= cost if allowed else 0.0
            self._tokens[key] = (tokens, now)
            if len(self._tokens) > _MOST_KEYS:
                self._tokens.popitem(last=False)
        return allowance(self._bucket, allowed, tokens, cost)


def allowance(bucket: TokenBucket, allowed: bool, tokens: float, cost: float, problem: str = "") -> Allowance:
    """The answer where `tokens` are left."""
    missing = math.inf if cost > bucket.burst else (cost - tokens) / bucket.rate
    return Allowance(allowed, int(tokens + 1e-9), 0.0 if allowed else missing, problem)
