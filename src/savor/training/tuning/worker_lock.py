"""Knowing which workers are alive, also of those that were killed."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def worker_lock(directory: Path) -> Iterator[str]:
    """Hold a lock for as long as this worker lives, and give the worker's name.

    The system lets go of the lock when the process dies, however it dies.
    """
    name = uuid4().hex
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.lock"
    with path.open("a") as file:
        assert _take(file.fileno())
        try:
            yield name
        finally:
            if os.name != "nt":
                path.unlink(missing_ok=True)


def is_alive(directory: Path, name: str) -> bool:
    """Whether the worker `name` still holds its lock."""
    path = directory / f"{name}.lock"
    if not path.exists():
        return False
    with path.open("a") as file:
        if not _take(file.fileno()):
            return True
    path.unlink(missing_ok=True)
    return False


def _take(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
