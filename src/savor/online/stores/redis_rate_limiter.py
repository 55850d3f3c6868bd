"""Rate limits that several servers count together."""

import math
from collections.abc import Callable

from savor.online.stores.errors import StoreAwayError
from savor.online.stores.rate_limiter import Allowance, MemoryRateLimiter, TokenBucket, allowance
from savor.online.stores.redis_link import RedisLink

_TAKE = """
local now = tonumber(ARGV[4])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', KEYS[1], 'tokens', 'time')
local tokens, past = tonumber(known[1] or burst), tonumber(known[2] or now)
tokens = math.min(burst, tokens + math.max(0, now - past) * rate)
local allowed = 0
if cost <= tokens then
    tokens = tokens - cost
    allowed = 1
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'time', string.format('%.17g', now))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {allowed, string.format('%.17g', tokens)}
"""


class RedisRateLimiter:
    """Token buckets in Redis, each taken from in one step; while it is away, this process counts alone.

    Args:
        link: the server.
        bucket: the limit of each key.
        clock: seconds since the epoch; None: Redis's own, which all servers share.
        prefix: of all keys.
    """

    def __init__(
        self,
        link: RedisLink,
        bucket: TokenBucket,
        clock: Callable[[], float] | None = None,
        prefix: str = "savor:rate:",
    ) -> None:
        self._link, self._bucket, self._clock, self._prefix = link, bucket, clock, prefix
        self._alone = MemoryRateLimiter(bucket) if clock is None else MemoryRateLimiter(bucket, clock)
        self._take = link.script(_TAKE)
        self._expiry = math.ceil(1000 * bucket.burst / bucket.rate) + 1000

    def take(self, key: str, cost: float = 1.0) -> Allowance:
        """See RateLimiter."""
        now = "" if self._clock is None else repr(self._clock())
        args = [repr(float(self._bucket.rate)), repr(float(self._bucket.burst)), repr(float(cost)), now, self._expiry]
        try:
            allowed, tokens = self._link.call(lambda: self._take(keys=[self._prefix + key], args=args))
        except StoreAwayError as error:
            alone = self._alone.take(key, cost)
            return Allowance(alone.allowed, alone.remaining, alone.retry_after, str(error))
        return allowance(self._bucket, bool(allowed), float(tokens), cost)
