import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from savor.core.errors import ConfigError
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.redis_link import RedisLink


def test_a_server_that_is_away_is_left_alone_for_a_while():
    now, calls = [0.0], []

    def work():
        calls.append(now[0])
        if now[0] < 3:
            raise RedisConnectionError("refused")
        return "well"

    link = RedisLink(None, "redis://host", pause=2.0, clock=lambda: now[0])
    for moment in (0.0, 1.0, 1.9, 2.0, 3.5):
        now[0] = moment
        with pytest.raises(StoreAwayError, match=r"redis://host cannot be used now \(refused\)"):
            link.call(work)
    assert calls == [0.0, 2.0]
    assert link.problem
    now[0] = 4.0
    assert link.call(work) == "well"
    assert link.problem == ""


def test_addresses_that_will_not_do():
    with pytest.raises(ConfigError, match="not an address") as caught:
        RedisLink.open("http://me:secret@host")
    assert "secret" not in str(caught.value)
