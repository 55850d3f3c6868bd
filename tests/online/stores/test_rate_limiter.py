"""What every RateLimiter promises, of each of them."""

import math
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.core.errors import ConfigError
from savor.online.stores.rate_limiter import MemoryRateLimiter, TokenBucket
from savor.online.stores.redis_link import RedisLink
from savor.online.stores.redis_rate_limiter import RedisRateLimiter
from tests.online.stores.conftest import REDIS
from tests.online.stores.servers import RedisServer


@pytest.fixture(params=["memory", REDIS])
def make(request):
    if request.param == "memory":
        return MemoryRateLimiter
    link = request.getfixturevalue("redis_link")
    return lambda bucket, clock=None: RedisRateLimiter(link, bucket, clock)


def test_a_burst_and_then_the_rate(make):
    now = [1_700_000_000.0]
    limiter = make(TokenBucket(rate=2.0, burst=3.0), lambda: now[0])
    assert [limiter.take("k").allowed for _ in range(4)] == [True, True, True, False]
    refused = limiter.take("k")
    assert (refused.remaining, refused.problem) == (0, "")
    assert refused.retry_after == pytest.approx(0.5, abs=1e-5)
    assert limiter.take("other").remaining == 2
    now[0] += 0.25
    assert not limiter.take("k").allowed
    now[0] += 0.25
    assert limiter.take("k").allowed
    assert not limiter.take("k").allowed
    now[0] += 1000.0
    assert limiter.take("k", cost=3.0).allowed
    now[0] -= 10.0
    assert not limiter.take("k").allowed


def test_what_never_fits(make):
    refused = make(TokenBucket(1.0, 2.0)).take("k", cost=3.0)
    assert not refused.allowed
    assert refused.remaining == 2
    assert refused.retry_after == math.inf


def test_with_the_real_time(make):
    limiter = make(TokenBucket(rate=50.0, burst=1.0))
    assert limiter.take("k").allowed
    for _ in range(500):
        if limiter.take("k").allowed:
            return
        time.sleep(0.01)
    pytest.fail("no token comes back")


def test_callers_at_once_get_no_more_than_there_is(make):
    limiter = make(TokenBucket(rate=1e-6, burst=20.0))
    allowed: list[bool] = []

    def call():
        allowed.extend(limiter.take("k").allowed for _ in range(10))

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sum(allowed) == 20


@settings(max_examples=50)
@given(
    st.floats(0.1, 10),
    st.floats(1, 10),
    st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 4)), min_size=1, max_size=30),
)
def test_never_more_than_burst_and_rate_allow(rate, burst, calls):
    now = [0.0]
    limiter = MemoryRateLimiter(TokenBucket(rate, burst), lambda: now[0])
    taken = 0.0
    for pause, cost in calls:
        now[0] += pause
        answer = limiter.take("k", cost)
        taken += cost if answer.allowed else 0.0
        assert taken <= burst + rate * now[0] + 1e-6
        assert answer.allowed or answer.retry_after > 0


@pytest.mark.parametrize("values", [(0.0, 1.0), (1.0, 0.5), (math.inf, 1.0), (math.nan, 1.0)])
def test_limits_that_are_none(values):
    with pytest.raises(ConfigError):
        TokenBucket(*values)


@pytest.mark.xdist_group("servers")
def test_without_redis_each_process_counts_alone():
    redis = RedisServer()
    redis.start()
    link = RedisLink.open(redis.url, timeout=0.5, pause=0.02)
    limiter = RedisRateLimiter(link, TokenBucket(rate=1e-6, burst=2.0))
    try:
        assert limiter.take("k").problem == ""
        redis.kill()
        answers = [limiter.take("k") for _ in range(3)]
        assert [answer.allowed for answer in answers] == [True, True, False]
        assert all("cannot be used now" in answer.problem for answer in answers)
        redis.start()
        for _ in range(500):
            if not limiter.take("k").problem:
                return
            time.sleep(0.01)
        pytest.fail("Redis is back, and not used")
    finally:
        link.close()
        redis.close()
