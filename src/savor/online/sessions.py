"""Which events belong to one visit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.online.moment import MICROSECONDS

NO_SESSION = -1


@dataclass(frozen=True)
class SessionRule:
    """When a session ends.

    Attributes:
        gap: seconds without an event after which the next one begins another session.
        passive: kinds that happen to people, as what they were shown: they neither begin a session nor keep one open.
        closing: kinds that finish what the session was for: whatever of another kind follows begins another one.
    """

    gap: float = 1800.0
    passive: frozenset[str] = frozenset({"impression"})
    closing: frozenset[str] = frozenset({"purchase"})


def sessionise(
    user_id: list[str], time: NDArray[np.int64], kind: list[str], rule: SessionRule | None = None
) -> NDArray[np.int64]:
    """Number the sessions of users.

    A session is a run of one user's events, each at most `rule.gap` after the one before; after an event of a closing
    kind only events of closing kinds continue it. An event of a passive kind belongs to the session that is open when
    it happens.

    Args:
        user_id: N ids.
        time: (N,) int64 UTC microseconds, in any order; ties in the order they stand.
        kind: N names.
        rule: when a session ends.

    Returns:
        (N,) int64 numbers from 0, rising with user (in the order of first appearance) and time; `NO_SESSION` for
        passive events outside of any session.
    """
    rule = rule or SessionRule()
    session = np.full(len(user_id), NO_SESSION, np.int64)
    numbers: dict[str, int] = {}
    user = np.array([numbers.setdefault(name, len(numbers)) for name in user_id], np.int64)
    passive = np.array([name in rule.passive for name in kind], np.bool_)
    closing = np.array([name in rule.closing for name in kind], np.bool_)
    order = np.lexsort((np.arange(len(user)), time, user))
    active = order[~passive[order]]
    gap = int(rule.gap * MICROSECONDS)
    if len(active):
        before, after = active[:-1], active[1:]
        begins = (
            (user[after] != user[before]) | (time[after] - time[before] > gap) | (closing[before] & ~closing[after])
        )
        session[active] = np.concatenate([[0], np.cumsum(begins)])
    last = np.maximum.accumulate(np.where(passive[order], -1, np.arange(len(order)))) if len(order) else order
    for_passive = passive[order] & (last >= 0)
    waiting, opened = order[for_passive], order[last[for_passive]]
    belongs = (user[waiting] == user[opened]) & (time[waiting] - time[opened] <= gap) & ~closing[opened]
    session[waiting[belongs]] = session[opened[belongs]]
    return session
