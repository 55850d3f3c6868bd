"""The data engine: DuckDB through Ibis, with bounded memory and its own folder to spill to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from savor.core.errors import DataError, SavorError
from savor.data.exclusive import WORKSPACE
from savor.data.options import IngestOptions
from savor.data.sources.quoting import sql_name, sql_text

ROW = "savor_row"
"""Column every opened table has: the row's number in its source, from 1."""


@dataclass(frozen=True)
class Engine:
    """One DuckDB connection and a folder for what it writes on the way.

    Attributes:
        ibis: the Ibis backend.
        workspace: a folder that is removed with the engine.
    """

    ibis: Any
    workspace: Path
    _numbers: "count[int]" = field(default_factory=count)

    def new_name(self, stem: str) -> str:
        """A name no table or file of this engine has yet."""
        return f"{stem}_{next(self._numbers)}"

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run SQL and return all of its (few) rows."""
        result: list[tuple[Any, ...]] = self.ibis.con.execute(sql, parameters or []).fetchall()
        return result

    def copy(self, sql: str, path: Path) -> None:
        """Write the rows of an SQL query to a Parquet file, in their order."""
        self.rows(f"COPY ({sql}) TO {sql_text(path)} (FORMAT parquet)")

    def view(self, stem: str, sql: str) -> Any:
        """An SQL query as an Ibis table, computed whenever it is read."""
        name = self.new_name(stem)
        self.rows(f"CREATE TEMP VIEW {sql_name(name)} AS {sql}")
        return self.ibis.table(name)

    def keep(self, stem: str, expression: Any) -> Any:
        """Compute `expression` once and return it as a table (which spills to disk when it must)."""
        return self.ibis.create_table(self.new_name(stem), expression, temp=True)

    def barrier(self, stem: str, expression: Any) -> Any:
        """`expression` as a view: what is built on it refers to its columns and does not compute them again."""
        return self.ibis.create_view(self.new_name(stem), expression)

    def batches(self, table: Any, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of an Ibis table in pieces of about `rows`."""
        yield from self.ibis.con.sql(ibis.to_sql(table, dialect="duckdb")).to_arrow_reader(rows)

    def first(self, expression: Any) -> dict[str, Any]:
        """The first row of a small result, by column name."""
        records: list[dict[str, Any]] = self.records(expression)
        return records[0]

    def count(self, table: Any) -> int:
        """The number of rows of an Ibis table."""
        return int(table.count().to_pyarrow().as_py())

    def records(self, expression: Any) -> list[dict[str, Any]]:
        """The rows of a small result, by column name."""
        table: list[dict[str, Any]] = expression.to_pyarrow().to_pylist()
        return table


@contextmanager
def open_engine(options: IngestOptions, near: Path) -> Iterator[Engine]:
    """Start an engine whose temporary files stand in the folder `near` and vanish at the end.

    Raises:
        DataError: the engine runs out of memory or disk, or cannot read what it is pointed to.
    """
    near.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=WORKSPACE, dir=near) as folder:
        workspace = Path(folder)
        backend = ibis.duckdb.connect(
            memory_limit=options.memory,
            temp_directory=str(workspace / "spill"),
            **({"threads": options.threads} if options.threads else {}),
        )
        try:
            backend.con.execute("SET TimeZone = ?", [options.timezone]).fetchall()
            backend.con.execute("SET enable_progress_bar = false").fetchall()
            # Parquet's statistics leave NaN out, and by them the engine takes isnan() to be false.
            backend.con.execute("SET disabled_optimizers = 'statistics_propagation'").fetchall()
            yield Engine(backend, workspace)
        except duckdb.OutOfMemoryException as error:
            raise DataError(
                f"the data engine has neither memory ({options.memory}) nor room on disk in {near} left: "
                f"free space, or raise `memory` in [ingest] ({_first_line(error)})"
            ) from error
        except (duckdb.Error, OSError) as error:
            if isinstance(error, SavorError):
                raise
            raise DataError(f"the tables cannot be read or written: {_first_line(error)}") from error
        finally:
            backend.disconnect()


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
