"""Files that are either whole or not there: write beside, fsync, rename."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def fsync_directory(directory: Path) -> None:
    """Make the names in `directory` durable, where the platform can (a no-op on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes_atomic(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step; a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    fsync_directory(path.parent)


def write_text_atomic(path: Path, text: str) -> None:
    """`write_bytes_atomic` for UTF-8 text."""
    write_bytes_atomic(path, text.encode("utf-8"))


def write_json_atomic(path: Path, value: Any) -> None:
    """`write_bytes_atomic` for a JSON document: sorted keys, indented, ending in a newline."""
    write_text_atomic(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


@contextmanager
def directory_atomic(path: Path) -> Iterator[Path]:
    """Give a new directory to fill; on success every file is synced and it takes the place of `path` at once.

    An existing `path` is moved aside first and removed after. On an error the partial directory is removed and `path`
    stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    token = uuid.uuid4().hex
    beside = path.with_name(f".{path.name}.{token}.partial")
    aside = path.with_name(f".{path.name}.{token}.old")
    beside.mkdir()
    try:
        yield beside
        fsync_tree(beside)
        if path.exists():
            os.replace(path, aside)
        try:
            os.replace(beside, path)
        except BaseException:
            if aside.exists():
                os.replace(aside, path)
            raise
        fsync_directory(path.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)


def fsync_tree(directory: Path) -> None:
    """Make every file and name below `directory` durable."""
    for current, _, names in os.walk(directory):
        for name in names:
            descriptor = os.open(Path(current) / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        fsync_directory(Path(current))
