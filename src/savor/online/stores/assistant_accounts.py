"""What language models may use and have used, by person and day."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from savor.core.clock import Clock, wall_clock
from savor.online.stores.database import Database
from savor.online.stores.tables import assistant_usage
from savor.online.stores.upsert import insert_missing

EVERYBODY = ""
"""Stands for all people together."""

_SECONDS_A_DAY = 86_400
_KEPT_DAYS = 90


@dataclass(frozen=True)
class Spent:
    """What was used on one day.

    Attributes:
        calls: that were let through.
        prompt_tokens, completion_tokens: read and written.
        cost: in the currency of the prices.
        held_tokens, held_cost: set aside for calls that are not over.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    held_tokens: int = 0
    held_cost: float = 0.0


@dataclass(frozen=True)
class Ceiling:
    """Most tokens and money of a day; None: no end."""

    tokens: int | None = None
    cost: float | None = None

    def allows(self, spent: Spent, tokens: int, cost: float) -> bool:
        """Whether so much more stays within it."""
        used = spent.prompt_tokens + spent.completion_tokens + spent.held_tokens
        return (self.tokens is None or used + tokens <= self.tokens) and (
            self.cost is None or spent.cost + spent.held_cost + cost <= self.cost
        )


@dataclass(frozen=True)
class Hold:
    """What is set aside for one call, until `AssistantAccounts.settle`."""

    user_id: str
    day: int
    tokens: int
    cost: float


class AssistantAccounts:
    """One row for each person and day, and one for everybody. Safe from several threads and processes.

    What a call may use at most is set aside before it begins, so calls at the same time cannot go beyond a ceiling
    together. Rows are forgotten after 90 days. Every method raises StoreAwayError where the database cannot be reached.

    Args:
        database: where they are.
        clock: for the day, in UTC.
    """

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock
        self._tidied, self._lock = -1, threading.Lock()

    def hold(self, user_id: str, tokens: int, cost: float, own: Ceiling, everybody: Ceiling) -> Hold | None:
        """Set aside what a call may use at most; None, and nothing is set aside, where a ceiling does not allow it."""
        day = self._clock() // _SECONDS_A_DAY
        with self._database.writing() as connection:
            self._tidy(connection, day)
            for person, ceiling in ((EVERYBODY, everybody), (user_id, own)):
                if not ceiling.allows(self._row(connection, person, day, make=True), tokens, cost):
                    return None
            self._add(connection, user_id, day, {"calls": 1, "held_tokens": tokens, "held_cost": cost})
        return Hold(user_id, day, tokens, cost)

    def settle(self, hold: Hold, prompt_tokens: int, completion_tokens: int, cost: float) -> None:
        """Write down what the call used in the place of what was set aside; once for each hold."""
        changes = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "cost": cost,
            "held_tokens": -hold.tokens,
            "held_cost": -hold.cost,
        }
        with self._database.writing() as connection:
            self._add(connection, hold.user_id, hold.day, changes)

    def spent(self, user_id: str = EVERYBODY) -> Spent:
        """What was used today for a person, or for everybody."""
        with self._database.reading() as connection:
            return self._row(connection, user_id, self._clock() // _SECONDS_A_DAY, make=False)

    @staticmethod
    def _row(connection: Connection, user_id: str, day: int, *, make: bool) -> Spent:
        """The row, held until the end of the transaction where it is to be made if it is not there."""
        columns = assistant_usage.c
        asked = select(
            columns.calls,
            columns.prompt_tokens,
            columns.completion_tokens,
            columns.cost,
            columns.held_tokens,
            columns.held_cost,
        ).where(columns.user_id == user_id, columns.day == day)
        if make:
            insert_missing(connection, assistant_usage, [{"user_id": user_id, "day": day, **_NOTHING}])
            asked = asked.with_for_update()
        found = connection.execute(asked).one_or_none()
        return Spent(*found) if found is not None else Spent()

    @staticmethod
    def _add(connection: Connection, user_id: str, day: int, changes: Mapping[str, Any]) -> None:
        """To the rows of everybody and of the person, in this order, as all do."""
        columns = assistant_usage.c
        added = {name: columns[name] + value for name, value in changes.items()}
        for person in (EVERYBODY, user_id):
            connection.execute(
                update(assistant_usage).where(columns.user_id == person, columns.day == day).values(added)
            )

    def _tidy(self, connection: Connection, day: int) -> None:
        with self._lock:
            if self._tidied == day:
                return
            self._tidied = day
        connection.execute(delete(assistant_usage).where(assistant_usage.c.day < day - _KEPT_DAYS))


_NOTHING: Mapping[str, Any] = {
    "calls": 0,
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "cost": 0.0,
    "held_tokens": 0,
    "held_cost": 0.0,
}
