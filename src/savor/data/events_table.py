"""Raw rows to typed events, each with a verdict: good, left out by rule, or bad for one reason."""

from dataclasses import dataclass
from typing import Any

import ibis

from savor.core.errors import DataError
from savor.data import columns
from savor.data.engine import ROW, Engine
from savor.data.naming import require_columns
from savor.data.options import IngestOptions
from savor.data.schema import EventTable
from savor.data.sources.raw_table import RawTable
from savor.data.split_columns import named_split

LEFT_OUT_ANONYMOUS = "no user"
LEFT_OUT_VALUE = "value below minimum"
LEFT_OUT_SEARCH = "search without an item, kept as a search"
_DAY = 86_400


@dataclass(frozen=True)
class TypedEvents:
    """Events with text ids, before numbers stand for them.

    Attributes:
        rows: Ibis table: `row` int64 · `user`, `item`, `kind`, `basket` text · `moment` int64 microseconds ·
            `value`, `price` float64 · `place` (what orders equal moments) · `split` uint8 · one column per name in
            `keys` · `search`, `review` text · `reason`, `rule` text, null for good rows.
        keys: columns whose equality makes two events one.
    """

    rows: Any
    keys: tuple[str, ...]


def type_events(
    engine: Engine, raw: RawTable, table: EventTable, options: IngestOptions, method: str, now: int
) -> TypedEvents:
    """Give every column of the events its type and every row its verdict.

    Args:
        engine: what works on it.
        raw: the opened source.
        table: the declared roles.
        options: duplicate keys.
        method: how the events will be split; "column" makes the split column count.
        now: UTC seconds; events more than a day later are faults.

    Raises:
        DataError: a named column is not in the source.
    """
    names = ("user", "item", "time", "kind", "value", "price", "basket", "search", "review", "order")
    roles = {role: getattr(table, role) for role in names}
    if method == "column":
        if table.split is None:
            raise DataError('the split method is "column", but [events] names no `split` column')
        roles["split"] = table.split
    declared = [(f"[events] {role}", name) for role, name in roles.items()]
    require_columns(raw, declared + [("[ingest] duplicate_keys", name) for name in options.duplicate_keys])
    source = raw.rows

    def given(role: str, convert: Any, kind: str) -> Any:
        name = roles.get(role)
        return convert(source[name]) if name is not None else ibis.null(kind)

    value = given("value", columns.number, "float64")
    price = given("price", columns.number, "float64")
    typed = source.select(
        row=source[ROW],
        user=columns.text(source[table.user]),
        item=columns.text(source[table.item]),
        moment=columns.moment(source[table.time], table.time_format),
        kind=given("kind", columns.text, "string"),
        value=value,
        price=price,
        basket=given("basket", columns.text, "string"),
        search=given("search", columns.text, "string"),
        review=given("review", columns.text, "string"),
        place=given("order", columns.sort_key, "int64"),
        split=given("split", lambda column: named_split(columns.text(column)), "uint8"),
        has_time=columns.text(source[table.time]).notnull(),
        has_value=given("value", lambda column: columns.text(column).notnull(), "boolean").fill_null(False),
        has_price=given("price", lambda column: columns.text(column).notnull(), "boolean").fill_null(False),
        **{f"key_{name}": columns.text(source[name]) for name in options.duplicate_keys},
    )
    typed = engine.barrier("typed", typed)
    typed = engine.barrier("ruled", typed.mutate(rule=_rule(typed, table, now)))
    reason = _reason(typed, now, with_split=method == "column")
    typed = typed.mutate(reason=typed.rule.isnull().ifelse(reason, ibis.null(str)))
    money = typed.price * typed.value.fill_null(1.0) if table.price_meaning == "unit" else typed.price
    typed = typed.mutate(
        price=money,
        value=typed.value.fill_null(1.0),
        kind=typed.kind.lower().fill_null(table.default_kind.lower()),
    ).drop("has_time", "has_value", "has_price")
    if options.duplicate_keys:
        keys: tuple[str, ...] = tuple(f"key_{name}" for name in options.duplicate_keys)
    else:
        keys = ("user", "item", "moment", "kind", "value", "price", "basket")
    return TypedEvents(typed, keys)


def _rule(typed: Any, table: EventTable, now: int) -> Any:
    """Why a row is left out although nothing is wrong with it."""
    rules = []
    if table.anonymous == "leave_out":
        rules.append((typed.user.isnull(), LEFT_OUT_ANONYMOUS))
    if table.minimum_value is not None:
        rules.append(((typed.value < table.minimum_value).fill_null(False), LEFT_OUT_VALUE))
    if table.search is not None:
        in_time = typed.moment.between(columns.EARLIEST, (now + _DAY) * columns.MICROSECONDS).fill_null(False)
        search = typed.item.isnull() & typed.search.notnull() & typed.user.notnull() & in_time
        rules.append((search, LEFT_OUT_SEARCH))
    return ibis.cases(*rules, else_=ibis.null(str)) if rules else ibis.null(str)


def _reason(typed: Any, now: int, *, with_split: bool) -> Any:
    """The first thing that is wrong with a row."""
    latest = (now + _DAY) * columns.MICROSECONDS
    faults = [
        (typed.user.isnull(), "missing user"),
        (typed.item.isnull() & typed.search.isnull(), "missing item"),
        (~typed.has_time, "missing time"),
        (typed.moment.isnull(), "unreadable time"),
        (typed.moment < columns.EARLIEST, "time before 1900"),
        (typed.moment > latest, "time in the future"),
        (typed.has_value & typed.value.isnull(), "unreadable value"),
        (typed.has_price & typed.price.isnull(), "unreadable price"),
        ((typed.price < 0).fill_null(False), "negative price"),
    ]
    if with_split:
        faults.append((typed.split.isnull(), "unknown split"))
    return ibis.cases(*faults, else_=ibis.null(str))
