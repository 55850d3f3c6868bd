"""Rows that could not be taken, each with its reason and what it said."""

from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from savor.data import columns
from savor.data.engine import ROW, Engine
from savor.data.sources.raw_table import RawTable

SCHEMA = ibis.schema(
    {"table": "string", "source": "string", "row": "int64", "line": "int64", "reason": "string", "original": "string"}
)
"""`row` counts the readable rows of the source from 1; `line` is known only for lines that are no rows at all.
`original` is the row as JSON, or the line as it stands; without columns that are personal."""


@ibis.udf.scalar.builtin(name="to_json")  # type: ignore[untyped-decorator]
def _to_json(value) -> dt.string:  # type: ignore[no-untyped-def]
    """A structure as JSON text."""


def bad_rows(engine: Engine, name: str, raw: RawTable, bad: Any, dropped: set[str], identity: str | None) -> Any:
    """Rows of `raw` that have a reason not to be taken.

    Args:
        engine: where the result is kept.
        name: which table they are of.
        raw: the opened source.
        bad: Ibis table with `row`, `reason` and, if ids are replaced, `identity` (what stands for the user's id).
        dropped: columns that must not be kept.
        identity: the column of `raw` whose value is replaced by `bad.identity`, if any.
    """
    joined = raw.rows.inner_join(bad, raw.rows[ROW] == bad.row)
    said = {
        column: joined.identity if column == identity else joined[column]
        for column in raw.columns
        if column == identity or column not in dropped
    }
    original = _to_json(ibis.struct({column: _plain(value) for column, value in said.items()})).cast("string")
    found = joined.select(
        table=ibis.literal(name),
        source=ibis.literal(raw.description),
        row=joined.row,
        line=ibis.null("int64"),
        reason=joined.reason,
        original=original if said else ibis.null(str),
    )
    return engine.keep("quarantine", found)


def bad_lines(name: str, raw: RawTable, *, personal: bool) -> Any | None:
    """Lines of `raw` that are no rows; what they say is left away where some column is personal."""
    if raw.rejected is None:
        return None
    lines = raw.rejected
    return lines.select(
        table=ibis.literal(name),
        source=ibis.literal(raw.description),
        row=ibis.null("int64"),
        line=lines.line,
        reason=lines.reason,
        original=ibis.null(str) if personal else lines.original,
    )


def write_quarantine(engine: Engine, parts: list[Any], path: Path) -> None:
    """Write all of them to one Parquet file, by table, row and line."""
    everything = ibis.union(*parts) if len(parts) > 1 else parts[0]
    ordered = everything.order_by(["table", ibis.asc("row", nulls_first=False), "line"])
    engine.ibis.to_parquet(ordered, path)


def _plain(value: Any) -> Any:
    kind = value.type()
    return columns.text(value) if kind.is_timestamp() or kind.is_floating() else value
