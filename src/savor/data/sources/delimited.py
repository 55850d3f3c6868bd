"""Delimited text: every column is read as text, and lines that are no rows are kept apart with a reason."""

import csv
import gzip
from collections import Counter
from pathlib import Path

from savor.core.errors import DataError
from savor.data.engine import Engine
from savor.data.sources.parquet import open_parquet
from savor.data.sources.quoting import sql_name, sql_text
from savor.data.sources.raw_table import RawTable

DELIMITERS = ("::", ",", ";", "\t", "|")
_HEAD = 1 << 20

REASONS = {
    "INVALID ENCODING": "not UTF-8",
    "MISSING COLUMNS": "malformed line: too few columns",
    "TOO MANY COLUMNS": "malformed line: too many columns",
    "UNQUOTED VALUE": "malformed line: quotation mark not closed",
    "LINE SIZE OVER MAXIMUM": "malformed line: too long",
    "CAST": "malformed line",
}


def open_delimited(engine: Engine, files: list[Path], description: str, limit: int | None = None) -> RawTable:
    """Open text files whose first line names the columns; the delimiter is found in that line.

    Raises:
        DataError: a file is empty or not UTF-8 in its first line, or the files' first lines differ.
    """
    delimiter, columns = read_header(files[0])
    rejects = engine.new_name("rejects")
    parts = []
    for file in files:
        if read_header(file) != (delimiter, columns):
            raise DataError(f"{description}: the first lines of {files[0].name} and {file.name} differ")
        parts.append(stage_text(engine, file, delimiter, columns, rejects, header=True, limit=limit))
    table = open_parquet(engine, parts, description)
    return RawTable(table.rows, columns, rejected_lines(engine, rejects), description, tuple(map(str, files)))


def read_header(file: Path) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the column names of a delimited text file.

    Raises:
        DataError: the file is empty, not UTF-8 text, or names a column twice.
    """
    with gzip.open(file, "rb") if file.suffix.lower() == ".gz" else file.open("rb") as stream:
        head = stream.readline(_HEAD)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{file.name}: is UTF-16 text; save it as UTF-8")
    if not head.strip():
        raise DataError(f"{file.name}: is empty, there is no line with column names")
    if b"\x00" in head:
        raise DataError(f"{file.name}: is no text (byte {head.index(0)} is zero)")
    try:
        line = head.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file.name}: byte {error.start} of the first line is not UTF-8; save the file as UTF-8"
        ) from None
    delimiter = find_delimiter(line)
    if len(delimiter) == 1:
        names = next(csv.reader([line], delimiter=delimiter))
    else:
        names = [name.strip('"') for name in line.split(delimiter)]
    names = [name.strip() or f"column_{position}" for position, name in enumerate(names, start=1)]
    repeated = [name for name, times in Counter(name.lower() for name in names).items() if times > 1]
    if repeated:
        raise DataError(f"{file.name}: the first line names a column twice: {', '.join(repeated)}")
    return delimiter, tuple(names)


def find_delimiter(line: str) -> str:
    """The delimiter that stands most often in `line` outside of quotation marks; a comma where none does."""
    bare = "".join(line.split('"')[::2])
    if "::" in bare:
        return "::"
    return max(DELIMITERS[1:], key=lambda delimiter: bare.count(delimiter))


def stage_text(
    engine: Engine,
    file: Path,
    delimiter: str,
    columns: tuple[str, ...],
    rejects: str,
    *,
    header: bool,
    limit: int | None = None,
    quote: str = '"',
) -> Path:
    """Copy one text file to Parquet with text columns, in its order; lines that are no rows go to table `rejects`."""
    part = engine.workspace / f"{engine.new_name('part')}.parquet"
    types = ", ".join(f"{sql_text(name)}: 'VARCHAR'" for name in columns)
    engine.rows(
        "COPY (SELECT * FROM read_csv("  # noqa: S608
        f"{sql_text(file)}, auto_detect = false, all_varchar = true, header = {str(header).lower()}, "
        f"delim = {sql_text(delimiter)}, quote = {sql_text(quote)}, escape = {sql_text(quote)}, columns = {{{types}}}, "
        f"store_rejects = true, rejects_table = {sql_text(rejects)}, rejects_scan = {sql_text(rejects + '_scans')})"
        f"{f' LIMIT {limit}' if limit is not None else ''}) TO {sql_text(part)} (FORMAT parquet)"
    )
    return part


def rejected_lines(engine: Engine, rejects: str) -> object:
    """The Ibis table of rejected lines, one row a line, from what `stage_text` kept."""
    reason = " ".join(f"WHEN {sql_text(kind)} THEN {sql_text(text)}" for kind, text in REASONS.items())
    return engine.view(
        "rejected",
        f"SELECT line::BIGINT AS line, arg_min(CASE error_type::VARCHAR {reason} ELSE 'malformed line' END, "  # noqa: S608
        "error_message) AS reason, any_value(csv_line) AS original "
        f"FROM {sql_name(rejects)} GROUP BY scan_id, file_id, line",
    )
