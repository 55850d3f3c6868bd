"""One ingest at a time for a data set, and order after one that was killed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from savor.core.errors import DataError
from savor.core.file_lock import try_lock

WORKSPACE = ".ingest-"
"""How names of folders begin that an ingest keeps its temporary files in."""


@contextmanager
def exclusive(out: Path) -> Iterator[None]:
    """Hold the folder of the data set `out` for one ingest, and clear up what a killed one left.

    A data set that a killed ingest had moved aside and not yet replaced is put back. The lock goes with the process,
    however it ends.

    Raises:
        DataError: another process is at it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with (out.parent / f".{out.name}.lock").open("a") as lock:
        if not try_lock(lock):
            raise DataError(f"another ingest is writing {out}; wait for it to end", code="ingest_running")
        _clear(out)
        yield


def _clear(out: Path) -> None:
    for left in out.parent.glob(f".{out.name}.*.old"):
        if out.exists():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.rename(out)
    for left in [*out.parent.glob(f".{out.name}.*.partial"), *out.parent.glob(f"{WORKSPACE}*")]:
        shutil.rmtree(left, ignore_errors=True)
