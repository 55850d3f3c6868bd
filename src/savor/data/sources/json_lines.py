"""JSON Lines: one object a line; every value is read as text, lists as JSON text."""

from pathlib import Path

from savor.core.errors import DataError
from savor.data.engine import Engine
from savor.data.sources.delimited import rejected_lines, stage_text
from savor.data.sources.parquet import FILE_STRIDE, open_parquet
from savor.data.sources.quoting import sql_name, sql_text
from savor.data.sources.raw_table import RawTable

_LOOK_AT = 100_000


def open_json_lines(engine: Engine, files: list[Path], description: str, limit: int | None = None) -> RawTable:
    """Open files with one JSON object a line; the columns are the keys of the first hundred thousand objects.

    Raises:
        DataError: there is no object in the files.
    """
    rejects = engine.new_name("rejects")
    lines = [
        stage_text(engine, file, "\x01", ("line",), rejects, header=False, limit=limit, quote="") for file in files
    ]
    source = f"read_parquet([{', '.join(map(sql_text, lines))}])"
    safe = "CASE WHEN json_valid(line) THEN line END"
    good = f"coalesce(json_type({safe}) = 'OBJECT', false)"
    keys = engine.rows(
        "SELECT key FROM (SELECT unnest(keys) AS key, unnest(range(len(keys))) AS place, number FROM "  # noqa: S608
        f"(SELECT json_keys({safe}) AS keys, file_index * {FILE_STRIDE} + file_row_number AS number FROM {source} "
        f"WHERE {good} LIMIT {_LOOK_AT})) GROUP BY key ORDER BY min(number), arg_min(place, number), key"
    )
    columns = tuple(key for (key,) in keys)
    if not columns:
        raise DataError(f"{description}: there is no line with a JSON object in it")
    paths = ", ".join(sql_text("$." + _quoted_key(name)) for name in columns)
    listed = ", ".join(f"values[{at}] AS {sql_name(name)}" for at, name in enumerate(columns, start=1))
    part = engine.workspace / f"{engine.new_name('part')}.parquet"
    engine.rows(
        f"COPY (SELECT {listed} FROM (SELECT json_extract_string({safe}, [{paths}]) AS values "  # noqa: S608
        f"FROM {source} WHERE {good})) TO {sql_text(part)} (FORMAT parquet)"
    )
    engine.rows(
        f"INSERT INTO {sql_name(rejects)} (scan_id, file_id, line, error_type, csv_line, error_message) "  # noqa: S608
        f"SELECT 0, file_index, file_row_number + 1, NULL, line, 'not a JSON object' FROM {source} "
        f"WHERE line IS NOT NULL AND NOT {good}"
    )
    table = open_parquet(engine, [part], description)
    return RawTable(table.rows, columns, rejected_lines(engine, rejects), description, tuple(map(str, files)))


def _quoted_key(name: str) -> str:
    return '"' + name.replace('"', '\\"') + '"'
