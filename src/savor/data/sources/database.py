"""Queries on SQLite, PostgreSQL and DuckDB databases, streamed in pieces."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from savor.core.errors import DataError, MissingDependencyError
from savor.data.engine import Engine
from savor.data.sources.address import without_password
from savor.data.sources.parquet import open_parquet
from savor.data.sources.raw_table import RawTable

_PIECE = 50_000


def open_database(engine: Engine, url: str, query: str | None, base: Path, limit: int | None = None) -> RawTable:
    """Run `query` on the database at `url` and open its result.

    DuckDB's types are kept; from SQLite and PostgreSQL every value is read as text and typed by Savor.

    Raises:
        DataError: the query is missing or fails, or the database is not there.
        MissingDependencyError: PostgreSQL is named and its driver is not installed.
    """
    description = without_password(url)
    if not query:
        raise DataError(f'{description}: say with `query` which rows to read, such as "SELECT * FROM orders"')  # noqa: S608
    part = engine.workspace / f"{engine.new_name('part')}.parquet"
    scheme = url.split(":", 1)[0].split("+", 1)[0].lower()
    try:
        if scheme == "duckdb":
            _copy_duckdb(_database_file(url, base), query, part, limit)
        elif scheme == "sqlite":
            with closing(sqlite3.connect(f"file:{_database_file(url, base)}?mode=ro", uri=True)) as connection:
                _write_text(part, connection.execute(query), limit)
        else:
            _copy_postgresql(url, query, part, limit)
    except (sqlite3.Error, duckdb.Error) as error:
        raise DataError(f"{description}: {without_password(str(error).splitlines()[0])}") from None
    table = open_parquet(engine, [part], description)
    return RawTable(table.rows, table.columns, None, description)


def _database_file(url: str, base: Path) -> Path:
    path = base / unquote(url.split("://", 1)[1].removeprefix("/"))
    if not path.is_file():
        raise DataError(
            f"{without_password(url)}: there is no such database file; three slashes start a path from the project, "
            "four an absolute one"
        )
    return path


def _copy_duckdb(file: Path, query: str, part: Path, limit: int | None) -> None:
    with duckdb.connect(str(file), read_only=True) as connection:
        reader = connection.sql(query).to_arrow_reader(_PIECE)
        with pq.ParquetWriter(part, reader.schema) as writer:
            left = limit
            for batch in reader:
                writer.write_batch(batch)
                if left is not None and (left := left - len(batch)) <= 0:
                    break


def _copy_postgresql(url: str, query: str, part: Path, limit: int | None) -> None:
    try:
        import psycopg  # type: ignore[import-not-found, unused-ignore]
    except ModuleNotFoundError:
        raise MissingDependencyError("psycopg", "postgres") from None
    address = "postgresql://" + url.split("://", 1)[1]
    try:
        with psycopg.connect(address) as connection, connection.cursor(name="savor_ingest") as cursor:
            cursor.itersize = _PIECE
            cursor.execute(query)
            _write_text(part, cursor, limit)
    except psycopg.Error as error:
        raise DataError(f"{urlsplit(url).hostname}: {str(error).splitlines()[0]}") from None


def _write_text(part: Path, cursor: Any, limit: int | None) -> None:
    """Write a database cursor's rows to Parquet as text columns."""
    names = [column[0] for column in cursor.description or ()]
    schema = pa.schema([(name, pa.string()) for name in names])
    with pq.ParquetWriter(part, schema) as writer:
        left = limit
        for piece in _pieces(cursor):
            columns = [
                pa.array([_as_text(value) for value in column], pa.string()) for column in zip(*piece, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            if left is not None and (left := left - len(piece)) <= 0:
                break


def _pieces(cursor: Any) -> Iterator[list[Iterable[Any]]]:
    while piece := cursor.fetchmany(_PIECE):
        yield piece


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
