"""Parquet files."""

from pathlib import Path

import duckdb

from savor.core.errors import DataError
from savor.data.engine import ROW, Engine
from savor.data.sources.quoting import sql_text
from savor.data.sources.raw_table import RawTable

FILE_STRIDE = 1 << 40


def open_parquet(engine: Engine, files: list[Path], description: str, limit: int | None = None) -> RawTable:
    """Open Parquet files with equal columns; rows of the n-th further file are numbered from n · 2⁴⁰.

    Raises:
        DataError: a file is damaged, or the files do not go together.
    """
    paths = ", ".join(sql_text(file) for file in files)
    number = f"file_index::BIGINT * {FILE_STRIDE} + file_row_number + 1 AS {ROW}"
    stop = f" LIMIT {limit}" if limit is not None else ""
    try:
        rows = engine.view("parquet", f"SELECT *, {number} FROM read_parquet([{paths}]){stop}")  # noqa: S608
    except duckdb.Error as error:
        raise DataError(f"{description}: cannot be read as Parquet ({str(error).splitlines()[0]})") from None
    columns = tuple(name for name in rows.columns if name != ROW)
    return RawTable(rows, columns, None, description, tuple(str(file) for file in files))
