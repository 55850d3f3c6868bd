"""Files with one user a line: the user's number, then the numbers of the items, oldest first."""

from pathlib import Path

from savor.data.sources.quoting import sql_text

FIRST_DAY = 946_684_800
"""2000-01-01, from which positions count as days where the publisher gives no moments."""


def interaction_lines(file: Path) -> str:
    """The file as an SQL query with the columns `user`, `item` and `position` (from 0)."""
    lines = (
        f"read_csv({sql_text(file)}, auto_detect = false, header = false, delim = '\x01', quote = '', escape = '', "
        "columns = {'line': 'VARCHAR'})"
    )
    return (
        "SELECT numbers[1]::INT AS user, unnest(numbers[2:])::INT AS item, "  # noqa: S608
        "unnest(range(len(numbers) - 1))::INT AS position "
        f"FROM (SELECT string_split_regex(trim(line), '\\s+') AS numbers FROM {lines} WHERE trim(line) <> '')"
    )
