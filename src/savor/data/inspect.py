"""A first look at a table: what each column holds."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import ibis

from savor.data import columns
from savor.data.engine import Engine
from savor.data.sources.raw_table import RawTable

_LOOK_AT = 500_000
_FEW = 10_000
_MOST = 0.95
_PLAUSIBLE_EPOCH = 10**8
TIME_FORMATS = (
    "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y%m%d",
    "%m/%d/%y %H:%M", "%d-%m-%Y %H:%M", "%d-%m-%Y", "%b %d, %Y",
)  # fmt: skip
"""Ways to write moments that are tried, in this order, where text is not ISO."""


@dataclass(frozen=True)
class ColumnProfile:
    """What one column holds, by its first half million rows.

    Attributes:
        name: as in the source.
        kind: what its values are; text that is all numbers counts as numbers.
        rows: rows looked at.
        missing: share of them without a value.
        distinct: number of different values.
        minimum, maximum: of numbers.
        words: mean number of words of text.
        separator: what parts several values in most cells of text, if anything.
        time_format: how moments are written, if not as ISO or epoch.
        epoch: numbers that could be moments since the epoch.
        examples: up to three values.
    """

    name: str
    kind: Literal["integer", "number", "boolean", "time", "list", "text"]
    rows: int
    missing: float
    distinct: int
    minimum: float | None = None
    maximum: float | None = None
    words: float = 0.0
    separator: str | None = None
    time_format: str | None = None
    epoch: bool = False
    examples: tuple[str, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """The words of the name in lower case; "CustomerID" and "customer_id:token" both are customer, id."""
        bare = self.name.split(":", 1)[0]
        return tuple(part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", bare))

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return round(self.rows * (1 - self.missing))

    @property
    def repeats(self) -> bool:
        """Whether values come again often enough to be groups."""
        return self.distinct <= max(20, 0.5 * self.filled)

    @property
    def unique(self) -> bool:
        """Whether (nearly) every row has a value of its own."""
        return self.filled > 0 and self.distinct >= _MOST * self.filled


def profile_table(engine: Engine, raw: RawTable) -> dict[str, ColumnProfile]:
    """Profiles of all columns of `raw`, by name."""
    head = engine.keep("head", raw.rows.select(*raw.columns).limit(_LOOK_AT))
    return {name: _profile(engine, head, name) for name in raw.columns}


def _profile(engine: Engine, head: Any, name: str) -> ColumnProfile:
    column = head[name]
    kind = column.type()
    if kind.is_array():
        counted = engine.first(head.agg(rows=head.count(), filled=column.count()))
        return ColumnProfile(name, "list", counted["rows"], _missing(counted), counted["filled"])
    text = columns.text(column)
    number = columns.number(column)
    counted = engine.first(
        head.agg(
            rows=head.count(),
            filled=text.count(),
            distinct=text.nunique(),
            numbers=number.count(),
            whole=(number == number.try_cast("int64").cast("float64")).sum().fill_null(0),
            minimum=number.min(),
            maximum=number.max(),
            words=(text.re_replace(r"\S+", "x").replace(" ", "").length()).mean().fill_null(0.0),
            moments=columns.moment(column).count() if kind.is_string() else ibis.literal(0),
            brackets=(text.startswith("[") & text.endswith("]")).sum().fill_null(0),
            bars=text.contains("|").sum().fill_null(0),
            semicolons=text.contains(";").sum().fill_null(0),
        )
    )
    examples = tuple(
        str(row["value"])
        for row in engine.records(head.select(value=text).filter(lambda row: row.value.notnull()).limit(3))
    )
    filled = counted["filled"]
    most = _MOST * filled
    shared = {"name": name, "rows": counted["rows"], "missing": _missing(counted), "distinct": counted["distinct"]}
    shared["examples"] = examples
    if kind.is_timestamp() or kind.is_date():
        return ColumnProfile(kind="time", **shared)
    if kind.is_boolean():
        return ColumnProfile(kind="boolean", **shared)
    if filled and counted["numbers"] >= most:
        whole = counted["whole"] >= counted["numbers"]
        low, high = counted["minimum"], counted["maximum"]
        epoch = low >= _PLAUSIBLE_EPOCH and high < 10**19
        return ColumnProfile(kind="integer" if whole else "number", minimum=low, maximum=high, epoch=epoch, **shared)
    if filled and counted["moments"] >= most:
        return ColumnProfile(kind="time", **shared)
    if filled and (form := _time_format(engine, head, name)):
        return ColumnProfile(kind="time", time_format=form, **shared)
    parted = 0.2 * filled
    separator = None
    if counted["brackets"] >= most:
        separator = ","
    elif counted["bars"] > parted:
        separator = "|"
    elif counted["semicolons"] > parted:
        separator = ";"
    return ColumnProfile(kind="text", words=counted["words"], separator=separator, **shared)


def _missing(counted: dict[str, Any]) -> float:
    return 1 - counted["filled"] / counted["rows"] if counted["rows"] else 1.0


def _time_format(engine: Engine, head: Any, name: str) -> str | None:
    few = head.select(value=columns.text(head[name])).filter(lambda row: row.value.notnull()).limit(_FEW)
    tried = {f"form_{at}": columns.try_strptime(few.value, form).count() for at, form in enumerate(TIME_FORMATS)}
    counts = engine.first(few.agg(rows=few.count(), **tried))
    most = _MOST * counts.pop("rows")
    best = max(counts, key=lambda form: int(counts[form]))
    return TIME_FORMATS[int(best.removeprefix("form_"))] if counts[best] >= most else None


def modal_share(engine: Engine, raw: RawTable, key: str, column: str) -> float:
    """Share of rows whose `column` has the value most frequent for their `key`: 1 if the key decides the value."""
    head = raw.rows.select(key=columns.text(raw.rows[key]), value=columns.text(raw.rows[column])).limit(_LOOK_AT)
    head = head.filter(head.key.notnull() & head.value.notnull())
    counted = head.group_by(["key", "value"]).agg(times=head.count())
    most = counted.group_by("key").agg(most=counted.times.max(), all=counted.times.sum())
    found = engine.first(most.agg(most=most.most.sum(), all=most["all"].sum()))
    return float(found["most"] / found["all"]) if found["all"] else 0.0


def shared_ids(engine: Engine, raw: RawTable, column: str, others: RawTable, other: str) -> float:
    """Share of the distinct values of `others[other]` that `raw[column]` has."""
    here = raw.rows.select(id=columns.text(raw.rows[column])).distinct()
    there = others.rows.select(id=columns.text(others.rows[other])).limit(_LOOK_AT).distinct()
    there = there.filter(there.id.notnull())
    return engine.count(there.semi_join(here, "id")) / max(1, engine.count(there))
