"""From a source's column of any type to one of Savor's types, as Ibis expressions."""

from typing import Any

import ibis
import ibis.expr.datatypes as dt

MISSING = ("", "NULL", "null", "None", "NaN", "nan", "\\N")
"""Texts that mean "nothing here"; read after stripping."""

TRUE = ("true", "t", "yes", "y", "1", "in stock", "available")
FALSE = ("false", "f", "no", "n", "0", "out of stock", "sold out", "unavailable")

MICROSECONDS = 1_000_000
EARLIEST = -2_208_988_800 * MICROSECONDS
"""1900-01-01 as microseconds since the epoch; anything before is a fault, not a moment."""

_LARGEST_SECONDS = 10**11
"""Epoch numbers from here on count milliseconds, a thousand times later microseconds, then nanoseconds."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def epoch_us(moment: dt.Timestamp(timezone="UTC")) -> int:  # type: ignore[valid-type, empty-body]
    """Microseconds since the epoch."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def try_strptime(text: str, form: str) -> dt.timestamp:
    """Text in the given form as a moment, null where it is not."""


@ibis.udf.scalar.builtin(signature=((dt.string, dt.string), dt.Array(dt.string)))
def from_json_strict(text, form):  # type: ignore[no-untyped-def]
    """JSON text as a list of texts."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def json_valid(text: str) -> bool:  # type: ignore[empty-body]
    """Whether text is JSON."""


def text(column: Any) -> Any:
    """`column` as stripped text; null where it is empty or says that nothing is there.

    Whole numbers in floating columns (an id column with gaps) lose their ".0".
    """
    kind = column.type()
    if kind.is_string():
        at_edge = (column < "!") | column.endswith(" ") | column.endswith("\t") | column.endswith("\r")
        stripped = at_edge.ifelse(column.strip(), column)
        return stripped.isin(MISSING).ifelse(ibis.null(str), stripped)
    if kind.is_floating():
        whole = column.try_cast("int64")
        is_whole = whole.notnull() & (whole.cast(kind) == column)
        return ibis.cases(
            (column.isnan(), ibis.null(str)), (is_whole, whole.cast("string")), else_=column.cast("string")
        )
    return column.cast("string")


def number(column: Any) -> Any:
    """`column` as float64; null where there is no finite number."""
    kind = column.type()
    if kind.is_boolean():
        return column.cast("int8").cast("float64")
    value = text(column).try_cast("float64") if not kind.is_numeric() else column.cast("float64")
    return (value.isnan() | value.isinf()).ifelse(ibis.null("float64"), value)


def flag(column: Any) -> Any:
    """`column` as float64: a count as it is, true and in stock as 1, false and sold out as 0; else null."""
    if column.type().is_string():
        lower = text(column).lower()
        return ibis.cases((lower.isin(TRUE), 1.0), (lower.isin(FALSE), 0.0), else_=number(column))
    return number(column)


def moment(column: Any, time_format: str | None = None) -> Any:
    """`column` as int64 microseconds since the epoch; null where it is no moment.

    Moments without a zone are read in the engine's time zone. Numbers count seconds, milliseconds, microseconds or
    nanoseconds, whichever puts them in the last and next few thousand years.
    """
    kind = column.type()
    if kind.is_timestamp() or kind.is_date():
        return epoch_us(column.cast(dt.Timestamp(timezone="UTC")))
    if kind.is_numeric():
        return _epoch(column.cast("float64"), column.try_cast("int64"))
    trimmed = text(column)
    if time_format is not None:
        return epoch_us(try_strptime(trimmed, time_format).cast(dt.Timestamp(timezone="UTC")))
    written = epoch_us(trimmed.try_cast(dt.Timestamp(timezone="UTC")))
    return ibis.coalesce(written, _epoch(trimmed.try_cast("float64"), trimmed.try_cast("int64")))


def _epoch(size: Any, whole: Any) -> Any:
    """Microseconds from an epoch number, given as float64 and, exactly, as int64."""
    magnitude = size.abs()
    return ibis.cases(
        (magnitude < _LARGEST_SECONDS, (size * MICROSECONDS).try_cast("int64")),
        (magnitude < _LARGEST_SECONDS * 10**3, whole * 1000),
        (magnitude < _LARGEST_SECONDS * 10**6, whole),
        else_=(whole // 1000).cast("int64"),
    )


def sort_key(column: Any) -> Any:
    """`column` as something to sort by: a number or a moment where it is one, else text."""
    kind = column.type()
    if kind.is_string():
        return text(column).try_cast("float64")
    if kind.is_timestamp() or kind.is_date():
        return moment(column)
    return column


def values(column: Any, separator: str) -> Any:
    """`column` as a sorted list of distinct, stripped texts.

    List columns are taken as they are; text is read as JSON where it stands in brackets, else split at `separator`.
    """
    if column.type().is_array():
        listed = column.map(lambda value: value.cast("string").strip())
    else:
        cell = text(column)
        bracketed = cell.startswith("[") & cell.endswith("]")
        as_json = cell.replace("', '", '", "').replace("['", '["').replace("']", '"]')
        quoted = bracketed.ifelse(as_json, ibis.null(str))
        readable = json_valid(quoted).ifelse(quoted, ibis.null(str))
        listed = ibis.cases(
            (readable.notnull(), from_json_strict(readable, '["VARCHAR"]')),
            else_=cell.split(separator).map(lambda value: value.strip()),
        )
    return listed.filter(lambda value: value.notnull() & (value != "")).unique().sort()
