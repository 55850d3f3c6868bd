"""Item and user tables: typed attributes, one row an id, numbered once and for all."""

from typing import Any

import ibis

from savor.data import columns
from savor.data.engine import ROW, Engine
from savor.data.naming import require_columns
from savor.data.schema import ItemTable, UserTable
from savor.data.sources.raw_table import RawTable

ID = "savor_id"
REASON = "savor_reason"


def type_attributes(raw: RawTable, table: ItemTable | UserTable) -> Any:
    """Give every declared column its type.

    Args:
        raw: the opened source.
        table: the declared roles.

    Returns:
        An Ibis table with `engine.ROW`, `ID`, `REASON` (text, null for good rows) and the declared columns.

    Raises:
        DataError: a named column is not in the source.
    """
    section = "[items]" if isinstance(table, ItemTable) else "[users]"
    require_columns(raw, [(f"{section} id", table.id), *((section, column) for column in table.columns)])
    source = raw.rows
    typed = {column: _convert(source[column], column, table) for column in table.columns}
    identity = columns.text(source[table.id])
    reason = identity.isnull().ifelse("missing id", ibis.null(str))
    return source.select(**{ROW: source[ROW], ID: identity, REASON: reason}, **typed)


def _convert(column: Any, name: str, table: ItemTable | UserTable) -> Any:
    if name in table.tags:
        return columns.values(column, table.tag_separator)
    if name in table.numerics:
        return columns.number(column)
    if isinstance(table, ItemTable):
        if name == table.price:
            return columns.number(column)
        if name == table.stock:
            return columns.flag(column)
        if name == table.created:
            return (columns.moment(column) // columns.MICROSECONDS).cast("int64")
    return columns.text(column)


def last_per_id(typed: Any) -> Any:
    """Of several rows with one id, the last."""
    last = typed.group_by(ID).agg(**{ROW: typed[ROW].max()})
    return typed.semi_join(last, ROW)


def most_frequent_per_id(engine: Engine, typed: Any) -> Any:
    """One row an id with each column's most frequent value (the later of equally frequent ones) that is not null."""
    result = typed.group_by(ID).agg(**{ROW: typed[ROW].min()})
    for column in typed.columns:
        if column in (ROW, ID, REASON):
            continue
        known = typed.filter(typed[column].notnull())
        counted = known.group_by([ID, column]).agg(times=known.count(), latest=known[ROW].max())
        window = ibis.window(group_by=ID, order_by=[ibis.desc("times"), ibis.desc("latest")])
        best = counted.mutate(rank=ibis.row_number().over(window)).filter(lambda row: row.rank == 0)
        chosen = engine.keep("mode", best.select(ID, column))
        result = result.left_join(chosen, ID).drop(f"{ID}_right")
    return engine.keep("modes", result)


def number_ids(engine: Engine, stem: str, given: Any | None, seen: Any) -> Any:
    """The final table: given rows in their order, then ids only events know, in the order of their text.

    Args:
        engine: where it is kept.
        stem: name for the kept table.
        given: one row an id, as `last_per_id` returns; None if there is no such table.
        seen: Ibis table with the one column `id`, distinct, that the events name.

    Returns:
        A kept Ibis table with `number` (int32 from 0), `id` and the declared columns.
    """
    if given is None:
        every = seen.mutate(**{ROW: ibis.null("int64")})
    else:
        listed = given.drop(REASON) if REASON in given.columns else given
        listed = listed.rename(id=ID)
        unseen = seen.anti_join(listed, "id")
        nulls = {name: ibis.null(kind) for name, kind in listed.schema().items() if name != "id"}
        every = listed.union(unseen.mutate(**nulls).select(*listed.columns))
    order = ibis.window(order_by=[ibis.asc(ROW, nulls_first=False), "id"])
    number = ibis.row_number().over(order).cast("int32")
    return engine.keep(stem, every.mutate(number=number)).drop(ROW)
