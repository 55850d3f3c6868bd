"""Which anonymous visitors became which users."""

from dataclasses import dataclass

from sqlalchemy import select

from savor.core.clock import Clock, wall_clock
from savor.online.stores.counters import advance
from savor.online.stores.database import Database
from savor.online.stores.errors import StoreError
from savor.online.stores.tables import visitors
from savor.online.visitor_ids import is_visitor


@dataclass(frozen=True)
class Merge:
    """That a visitor is a user; `version` is for those who follow."""

    visitor_id: str
    user_id: str
    version: int


class Visitors:
    """The merges of visitors into users; events keep the id under which they came, and count for the user.

    Args:
        database: where they are.
        clock: for the moment of each.
    """

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock

    def merge(self, visitor_id: str, user_id: str) -> bool:
        """From now on everything of the visitor, past and to come, counts for the user; False where it does already.

        Raises:
            StoreError: `visitor_id` is not a visitor's, `user_id` is, or the visitor is another user already.
            StoreAwayError: the database cannot be reached.
        """
        if not is_visitor(visitor_id):
            raise StoreError("only an anonymous visitor can become a user", code="not_a_visitor")
        if is_visitor(user_id):
            raise StoreError("a visitor cannot become another visitor", code="not_a_user")
        with self._database.writing() as connection:
            version = advance(connection, visitors.name)
            asked = select(visitors.c.user_id).where(visitors.c.visitor_id == visitor_id)
            known = connection.execute(asked).scalar_one_or_none()
            if known not in (None, user_id):
                raise StoreError(
                    "this visitor is another user already; give each user a visitor id of their own",
                    code="visitor_merged",
                )
            if known is None:
                values = {"visitor_id": visitor_id, "user_id": user_id, "version": version, "merged": self._clock()}
                connection.execute(visitors.insert(), values)
        return known is None

    def user_of(self, visitor_id: str) -> str | None:
        """The user that the visitor became; None where there is none.

        Raises:
            StoreAwayError: the database cannot be reached.
        """
        asked = select(visitors.c.user_id).where(visitors.c.visitor_id == visitor_id)
        with self._database.reading() as connection:
            return connection.execute(asked).scalar_one_or_none()

    def visitors_of(self, user_id: str) -> list[str]:
        """The visitors who became the user, in the order they did.

        Raises:
            StoreAwayError: the database cannot be reached.
        """
        asked = select(visitors.c.visitor_id).where(visitors.c.user_id == user_id).order_by(visitors.c.version)
        with self._database.reading() as connection:
            return list(connection.execute(asked).scalars())

    def read_after(self, version: int, limit: int = 10_000) -> list[Merge]:
        """Up to `limit` merges later than `version`, in order.

        Raises:
            StoreAwayError: the database cannot be reached.
        """
        columns = (visitors.c.visitor_id, visitors.c.user_id, visitors.c.version)
        later = select(*columns).where(visitors.c.version > version).order_by(visitors.c.version).limit(limit)
        with self._database.reading() as connection:
            return [Merge(*row) for row in connection.execute(later)]
