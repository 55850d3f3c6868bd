"""Every kind of file and database gives the same table."""

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from savor.core.errors import DataError
from savor.data.engine import ROW, Engine, open_engine
from savor.data.options import IngestOptions
from savor.data.sources.address import without_password
from savor.data.sources.open_source import open_source
from savor.data.sources.raw_table import RawTable

ROWS = [("u1", "i1", "5"), ("u2", "i,2", "6"), ("u3", None, "7")]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine(IngestOptions(memory="200MB", threads=1), tmp_path / "work") as opened:
        yield opened


def content(engine: Engine, raw: RawTable) -> list[tuple[str | None, ...]]:
    rows = engine.records(raw.rows.order_by(ROW))
    assert [row[ROW] for row in rows] == list(range(1, len(rows) + 1))
    return [tuple(None if row[name] is None else str(row[name]) for name in raw.columns) for row in rows]


def delimited(mark: str) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        lines = [mark.join(("user", "item", "n"))]
        lines += [mark.join('"' + cell + '"' if cell and mark in cell else cell or "" for cell in row) for row in ROWS]
        file.write_text("\n".join(lines) + "\n")

    return write


def zipped(file: Path) -> None:
    file.write_bytes(gzip.compress(b'\xef\xbb\xbfuser,item,n\r\nu1,i1,5\r\nu2,"i,2",6\r\nu3,,7\r\n'))


def json_lines(file: Path) -> None:
    rows = [dict(zip(("user", "item", "n"), row, strict=True)) for row in ROWS]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def parquet(file: Path) -> None:
    values = "('u1', 'i1', 5), ('u2', 'i,2', 6), ('u3', NULL, 7)"
    duckdb.connect().execute(f"COPY (SELECT * FROM (VALUES {values}) t(user, item, n)) TO '{file}'").fetchall()


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("e.csv", delimited(",")),
        ("e.csv", delimited(";")),
        ("e.tsv", delimited("\t")),
        ("e.txt", delimited("|")),
        ("e.txt", delimited("::")),
        ("e.csv.gz", zipped),
        ("e.jsonl", json_lines),
        ("e.parquet", parquet),
    ],
)
def test_files(engine: Engine, tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    raw = open_source(engine, name, None, tmp_path)
    assert raw.columns == ("user", "item", "n")
    assert content(engine, raw) == ROWS


def test_several_files_are_one_table_in_the_order_of_their_names(engine: Engine, tmp_path: Path) -> None:
    for day in ("2", "1"):
        (tmp_path / f"day-{day}.csv").write_text(f"user,item\nu{day},i\nu{day},broken,line\n")
    raw = open_source(engine, "day-*.csv", None, tmp_path)
    users = [row["user"] for row in engine.records(raw.rows.order_by(ROW))]
    assert users == ["u1", "u2"]
    assert raw.rejected is not None
    assert engine.count(raw.rejected) == 2


def test_files_with_other_columns_do_not_go_together(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item\n")
    (tmp_path / "b.csv").write_text("user,product\n")
    with pytest.raises(DataError, match=r"first lines of a\.csv and b\.csv differ"):
        open_source(engine, "*.csv", None, tmp_path)


def test_databases(engine: Engine, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE sales (user TEXT, item TEXT, n INTEGER)")
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?)", ROWS)
    connection.close()
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as other:
        other.execute("CREATE TABLE sales (user TEXT, item TEXT, n INTEGER)").fetchall()
        other.executemany("INSERT INTO sales VALUES (?, ?, ?)", [list(row) for row in ROWS])
    for url in ("sqlite:///shop.db", f"sqlite:///{tmp_path}/shop.db", "duckdb:///shop.duckdb"):
        raw = open_source(engine, url, "SELECT * FROM sales ORDER BY n", tmp_path)
        assert content(engine, raw) == ROWS


def test_databases_that_cannot_be_asked(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="say with `query`"):
        open_source(engine, "sqlite:///shop.db", None, tmp_path)
    with pytest.raises(DataError, match="no such database file"):
        open_source(engine, "sqlite:///shop.db", "SELECT 1", tmp_path)
    sqlite3.connect(tmp_path / "shop.db").close()
    with pytest.raises(DataError, match="no such table: sales"):
        open_source(engine, "sqlite:///shop.db", "SELECT * FROM sales", tmp_path)


def test_passwords_come_from_the_environment_and_are_not_shown(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "sqlite://me:${SHOP_PASSWORD}@/shop.db"
    with pytest.raises(DataError, match="the environment variable SHOP_PASSWORD is not set"):
        open_source(engine, url, "SELECT 1", tmp_path)
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    with pytest.raises(DataError) as caught:
        open_source(engine, url, "SELECT 1", tmp_path)
    assert "hunter2" not in str(caught.value)
    assert without_password("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"


def test_json_lines_keep_lists_and_reject_what_is_no_object(engine: Engine, tmp_path: Path) -> None:
    lines = [
        b'{"user": "u1", "tags": ["a", "b"], "n": 1.5}',
        b"{torn",
        b"",
        b"[1]",
        b'{"user": "caf\xe9"}',
        b'{"n": 2}',
    ]
    (tmp_path / "e.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    raw = open_source(engine, "e.jsonl", None, tmp_path)
    assert content(engine, raw) == [("u1", '["a","b"]', "1.5"), (None, None, "2")]
    assert raw.rejected is not None
    rejected = engine.records(raw.rejected)
    assert sorted(row["reason"] for row in rejected) == ["malformed line", "malformed line", "not UTF-8"]


@pytest.mark.parametrize(
    ("name", "bytes_", "message"),
    [
        ("e.csv", "user,item\n".encode("utf-16"), "is UTF-16 text"),
        ("e.csv", b"user,item,User\n", "names a column twice: user"),
        ("e.csv", b"us\x00er,item\n", "is no text"),
        ("e.parquet", b"PAR1 not really", "cannot be read as Parquet"),
        ("e.jsonl", b"nothing\n", "no line with a JSON object"),
        ("e.xls", b"", r"the ending \.xls is not known"),
    ],
)
def test_files_that_cannot_be_read(engine: Engine, tmp_path: Path, name: str, bytes_: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(bytes_)
    with pytest.raises(DataError, match=message):
        open_source(engine, name, None, tmp_path)
