"""Saying which column was meant when the one asked for is not there."""

from collections.abc import Sequence
from difflib import get_close_matches

from savor.core.errors import DataError
from savor.data.sources.raw_table import RawTable


def require_columns(raw: RawTable, named: Sequence[tuple[str, str | None]]) -> None:
    """Check that the source has every named column.

    Args:
        raw: the opened source.
        named: places in the configuration, each with the column it names (None: it names none).

    Raises:
        DataError: some are absent; each is named with the closest one there is.
    """
    absent = [(place, name) for place, name in named if name is not None and name not in raw.columns]
    if not absent:
        return
    by_lower = {column.lower(): column for column in raw.columns}
    problems = []
    for place, name in absent:
        close = get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.5)
        hint = f"; did you mean {by_lower[close[0]]!r}?" if close else ""
        problems.append(f"  - {place}: no column {name!r}{hint}")
    raise DataError(
        "\n".join([f"{raw.description}: columns are missing", *problems, f"  it has: {', '.join(raw.columns)}"]),
        code="column_missing",
    )
