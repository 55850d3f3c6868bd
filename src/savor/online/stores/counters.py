"""Rising numbers that become visible in their order."""

from sqlalchemy import Connection, bindparam, select, update

from savor.online.stores.tables import counters

_RAISE = (
    update(counters)
    .where(counters.c.name == bindparam("counter"))
    .values(value=counters.c.value + bindparam("amount"))
    .returning(counters.c.value)
)

_ALL = select(counters.c.name, counters.c.value)


def advance(connection: Connection, name: str, by: int = 1) -> int:
    """Raise the counter `name` by `by`, and hold it until the transaction ends.

    Other writers of the same counter wait, so a reader never sees a number before all smaller ones are there.

    Returns:
        The first of the `by` numbers.
    """
    last: int = connection.execute(_RAISE, {"counter": name, "amount": by}).scalar_one()
    return last - by + 1


def last_numbers(connection: Connection) -> dict[str, int]:
    """The last number given in each numbered table: what tells that there is something new, in one small query."""
    return {row.name: row.value for row in connection.execute(_ALL)}


def hold_all(connection: Connection) -> None:
    """Let every writer of numbered rows finish, and none begin until the transaction ends."""
    connection.execute(select(counters.c.value).order_by(counters.c.name).with_for_update()).all()
