"""One door to every kind of source."""

import re
from pathlib import Path

from savor.core.errors import DataError
from savor.data.engine import Engine
from savor.data.sources.address import expand_variables, is_database, without_password
from savor.data.sources.database import open_database
from savor.data.sources.delimited import open_delimited
from savor.data.sources.json_lines import open_json_lines
from savor.data.sources.parquet import open_parquet
from savor.data.sources.raw_table import RawTable

PARQUET = (".parquet", ".pq")
JSON_LINES = (".jsonl", ".ndjson", ".json")
DELIMITED = (".csv", ".tsv", ".txt", ".tab", ".psv", ".inter", ".user", ".item")


def open_source(engine: Engine, source: str, query: str | None, base: Path, limit: int | None = None) -> RawTable:
    """Open a file, several files (a glob) or a database query.

    Args:
        engine: what reads it.
        source: path (relative ones count from `base`), glob, or database URL; `${NAME}` stands for the environment
            variable NAME.
        query: SQL, for database URLs.
        base: the project folder.
        limit: stop after about so many rows; for a first look.

    Raises:
        DataError: nothing is there, it is empty, or its format is unknown.
    """
    where = expand_variables(source)
    if is_database(where):
        return open_database(engine, where, query, base, limit)
    if query is not None:
        raise DataError(f"`query` goes with a database URL, but the source is the file {source}")
    files = find_files(where, base)
    ending = _ending(files[0])
    if ending in PARQUET:
        return open_parquet(engine, files, without_password(source), limit)
    if ending in JSON_LINES:
        return open_json_lines(engine, files, without_password(source), limit)
    if ending in DELIMITED:
        return open_delimited(engine, files, without_password(source), limit)
    raise DataError(
        f"{files[0].name}: the ending {ending or '(none)'} is not known; give text ({', '.join(DELIMITED[:3])}), "
        f"Parquet ({', '.join(PARQUET)}) or JSON Lines ({', '.join(JSON_LINES[:2])}), or a database URL"
    )


def find_files(source: str, base: Path) -> list[Path]:
    """The files a path or glob names, in the order of their names; a folder stands for all files in it.

    Raises:
        DataError: there are none, or their formats differ.
    """
    path = base / Path(source).expanduser()
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith((".", "_")))
    elif path.is_file():
        files = [path]
    elif re.search(r"[*?\[]", source):
        pattern = Path(*path.parts[1:]) if path.is_absolute() else path
        root = Path(path.anchor) if path.is_absolute() else Path()
        files = sorted(file for file in root.glob(str(pattern)) if file.is_file())
    else:
        raise DataError(f"{source}: there is no such file (looked in {path.parent.resolve()})")
    if not files:
        raise DataError(f"{source}: no file matches (looked from {base.resolve()})")
    endings = sorted({_ending(file) for file in files})
    if len(endings) > 1:
        raise DataError(f"{source}: files of several formats ({', '.join(endings)}); give a narrower pattern")
    return files


def _ending(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes = suffixes[:-1]
    return suffixes[-1] if suffixes else ""
