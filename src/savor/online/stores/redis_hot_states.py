"""Recent events of users in Redis, for several servers."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from zlib import crc32

import orjson

from savor.online.event_batch import EventBatch
from savor.online.stores.errors import StoreAwayError
from savor.online.stores.hot_states import Recent
from savor.online.stores.memory_hot_states import MemoryHotStates, last_events
from savor.online.stores.redis_link import RedisLink

_ID, _USER, _TIME = (EventBatch.names().index(name) for name in ("event_id", "user_id", "time"))
_ADD = """
local touched = {}
for place = 3, #ARGV, 4 do
    local user = redis.call('GET', KEYS[1] .. 'merged:' .. ARGV[place]) or ARGV[place]
    if redis.call('ZADD', KEYS[1] .. 'order:' .. user, 'NX', ARGV[place + 1], ARGV[place + 2]) == 1 then
        redis.call('HSET', KEYS[1] .. 'events:' .. user, ARGV[place + 2], ARGV[place + 3])
    end
    touched[user] = true
end
for user, _ in pairs(touched) do
    local order, events = KEYS[1] .. 'order:' .. user, KEYS[1] .. 'events:' .. user
    local old = redis.call('ZRANGE', order, 0, -(tonumber(ARGV[1]) + 1))
    if #old > 0 then
        redis.call('ZREM', order, unpack(old))
        redis.call('HDEL', events, unpack(old))
    end
    redis.call('PEXPIRE', order, ARGV[2])
    redis.call('PEXPIRE', events, ARGV[2])
end
"""
_RECENT = """
local user = redis.call('GET', KEYS[1] .. 'merged:' .. ARGV[1]) or ARGV[1]
return {user, redis.call('HVALS', KEYS[1] .. 'events:' .. user)}
"""
_MERGE = """
local from, to = ARGV[1], ARGV[2]
redis.call('SET', KEYS[1] .. 'merged:' .. from, to, 'PX', ARGV[3])
redis.call('SADD', KEYS[1] .. 'visitors:' .. to, from)
redis.call('PEXPIRE', KEYS[1] .. 'visitors:' .. to, ARGV[3])
local moved = redis.call('HGETALL', KEYS[1] .. 'events:' .. from)
for place = 1, #moved, 2 do
    local score = redis.call('ZSCORE', KEYS[1] .. 'order:' .. from, moved[place])
    if score and redis.call('ZADD', KEYS[1] .. 'order:' .. to, 'NX', score, moved[place]) == 1 then
        redis.call('HSET', KEYS[1] .. 'events:' .. to, moved[place], moved[place + 1])
    end
end
redis.call('DEL', KEYS[1] .. 'events:' .. from, KEYS[1] .. 'order:' .. from)
redis.call('PEXPIRE', KEYS[1] .. 'order:' .. to, ARGV[3])
redis.call('PEXPIRE', KEYS[1] .. 'events:' .. to, ARGV[3])
"""
_FORGET = """
for _, user in ipairs(ARGV) do
    for _, visitor in ipairs(redis.call('SMEMBERS', KEYS[1] .. 'visitors:' .. user)) do
        redis.call('DEL', KEYS[1] .. 'merged:' .. visitor)
    end
    for _, part in ipairs({'events:', 'order:', 'merged:', 'visitors:'}) do
        redis.call('DEL', KEYS[1] .. part .. user)
    end
end
"""
_ROWS_AT_ONCE = 1000
_MOST_MISSED = 100_000


class RedisHotStates:
    """HotStates in one Redis server, over those of this process.

    Events are added to both. While Redis is away, answers are from this process; when it is back, it is told what it
    missed. Scripts make each change in one step and build the names of keys, so a Redis Cluster will not do.

    Args:
        link: the server.
        memory: those of this process; used by nobody else.
        most_events: how many are kept of one user.
        seconds: for how long after the last event of a user.
        prefix: of all keys.
    """

    def __init__(
        self,
        link: RedisLink,
        memory: MemoryHotStates,
        *,
        most_events: int = 200,
        seconds: float = 7 * 86_400,
        prefix: str = "savor:hot:",
    ) -> None:
        self._link, self._memory = link, memory
        self._most_events, self._expiry = most_events, int(seconds * 1000)
        self._keys = [f"{prefix}{crc32(','.join(EventBatch.names()).encode()):08x}:"]
        self._add, self._recent = link.script(_ADD), link.script(_RECENT)
        self._merge, self._forget = link.script(_MERGE), link.script(_FORGET)
        self._missed = _Missed()
        self._lock = threading.Lock()

    def add(self, batch: EventBatch, *, shared: bool = False) -> None:
        """See HotStates."""
        self._memory.add(batch)
        if shared:
            return
        try:
            self._catch_up()
            self._send(batch)
        except StoreAwayError:
            with self._lock:
                self._missed.users.update(dict.fromkeys(batch.user_id))
                while len(self._missed.users) > _MOST_MISSED:
                    del self._missed.users[next(iter(self._missed.users))]

    def recent(self, user_id: str) -> Recent:
        """See HotStates."""
        try:
            self._catch_up()
            user, records = self._link.call(lambda: self._recent(keys=self._keys, args=[user_id]))
        except StoreAwayError as error:
            return Recent(self._memory.recent(user_id).events, str(error))
        # Redis may have lost what it held; what this process knows of the user counts all the same.
        known = self._memory.recent(user_id).events
        events = EventBatch.concatenate([EventBatch.from_rows([orjson.loads(record) for record in records]), known])
        return Recent(last_events(events, self._most_events, user.decode("utf-8")))

    def users(self) -> list[str]:
        """See HotStates."""
        return self._memory.users()

    def merge(self, visitor_id: str, user_id: str) -> None:
        """See HotStates."""
        self._memory.merge(visitor_id, user_id)
        try:
            self._catch_up()
            self._send_merge(visitor_id, user_id)
        except StoreAwayError:
            with self._lock:
                self._missed.merges[visitor_id] = user_id

    def forget(self, user_ids: Sequence[str]) -> bool:
        """See HotStates."""
        self._memory.forget(user_ids)
        with self._lock:
            self._missed.drop(set(user_ids))
        try:
            self._catch_up()
            self._send_forget(user_ids)
        except StoreAwayError:
            with self._lock:
                self._missed.forgotten.update(dict.fromkeys(user_ids))
            return False
        return True

    def when_dropped(self, tell: Callable[[str], None]) -> None:
        """See HotStates."""
        self._memory.when_dropped(tell)

    def problem(self) -> str:
        """See HotStates."""
        return self._link.problem

    def _catch_up(self) -> None:
        """Tell Redis what it missed: who is forgotten, who was merged, then what this process knows of the others."""
        if not self._missed:
            return
        with self._lock:
            missed = self._missed
            if missed.forgotten:
                self._send_forget(list(missed.forgotten))
                missed.forgotten.clear()
            for visitor_id, user_id in list(missed.merges.items()):
                self._send_merge(visitor_id, user_id)
                del missed.merges[visitor_id]
            for user_id in list(missed.users):
                self._send(self._memory.recent(user_id).events)
                del missed.users[user_id]

    def _send(self, batch: EventBatch) -> None:
        for start in range(0, len(batch), _ROWS_AT_ONCE):
            args: list[object] = [self._most_events, self._expiry]
            for row in batch.take(range(start, min(start + _ROWS_AT_ONCE, len(batch)))).rows():
                args += (row[_USER], row[_TIME], row[_ID], orjson.dumps(row))
            self._link.call(partial(self._add, keys=self._keys, args=args))

    def _send_merge(self, visitor_id: str, user_id: str) -> None:
        self._link.call(lambda: self._merge(keys=self._keys, args=[visitor_id, user_id, self._expiry]))

    def _send_forget(self, user_ids: Sequence[str]) -> None:
        self._link.call(lambda: self._forget(keys=self._keys, args=list(user_ids)))


class _Missed:
    """What Redis was not told while it was away, in the order to tell it."""

    def __init__(self) -> None:
        self.forgotten: dict[str, None] = {}
        self.merges: dict[str, str] = {}
        self.users: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self.forgotten or self.merges or self.users)

    def drop(self, user_ids: set[str]) -> None:
        """Leave out what is about these users."""
        self.merges = {visitor: user for visitor, user in self.merges.items() if not {visitor, user} & user_ids}
        self.users = {user: None for user in self.users if user not in user_ids}
