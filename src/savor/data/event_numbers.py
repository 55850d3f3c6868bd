"""Numbers in the place of ids, kinds and baskets, and one event where several are the same."""

from typing import Any

import ibis

from savor.core.errors import DataError
from savor.data.engine import Engine
from savor.data.schema import EventTable

_MOST_KINDS = 256


def number_events(engine: Engine, good: Any, items: Any, users: Any, table: EventTable) -> tuple[Any, tuple[str, ...]]:
    """Replace text by numbers.

    Args:
        engine: where the result is kept.
        good: typed events without faults, as in `TypedEvents.rows`.
        items: Ibis table with `id` and `number`.
        users: the same for users.
        table: the declared roles.

    Returns:
        The kept events with `user`, `item` (int32), `kind` (uint8), `basket` (int64, -1 for none) and the other
        columns of `good`; and the names of the kinds in the order of their numbers.

    Raises:
        DataError: there are more kinds than a byte can number.
    """
    found = engine.records(good.select("kind").distinct().order_by("kind").limit(_MOST_KINDS + 1))
    kinds = tuple(row["kind"] for row in found)
    if len(kinds) > _MOST_KINDS:
        raise DataError(
            f"[events] kind: {table.kind!r} has more than {_MOST_KINDS} different values "
            f"({', '.join(kinds[:3])}, …), so it does not say what kind an event is"
        )
    kind = ibis.cases(*[(good.kind == name, number) for number, name in enumerate(kinds)]).cast("uint8")
    item = items.select(item="id", item_number="number")
    user = users.select(user="id", user_number="number")
    numbered = good.mutate(kind=kind).inner_join(item, "item").inner_join(user, "user")
    basket = ibis.literal(-1, "int64")
    if table.basket is not None:
        names = good.select("basket").filter(good.basket.notnull()).distinct()
        baskets = names.mutate(basket_number=ibis.row_number().over(ibis.window(order_by="basket")))
        numbered = numbered.left_join(engine.keep("baskets", baskets), "basket").drop("basket_right")
        basket = numbered.basket_number.fill_null(-1).cast("int64")
    keys = [name for name in good.columns if name.startswith("key_")]
    numbered = numbered.select(
        "row", "moment", "kind", "value", "price", "place", "split", *keys,
        user=numbered.user_number, item=numbered.item_number, basket=basket,
    )  # fmt: skip
    return engine.keep("numbered", numbered), kinds


def without_duplicates(engine: Engine, events: Any, keys: tuple[str, ...]) -> tuple[Any, int]:
    """The first event, in the order of the source, of each group with equal `keys`; and how many others there were."""
    first = engine.keep("first", events.group_by(list(keys)).agg(row=events.row.min()).select("row"))
    duplicates = engine.count(events) - engine.count(first)
    return (engine.keep("kept", events.semi_join(first, "row")) if duplicates else events), duplicates
