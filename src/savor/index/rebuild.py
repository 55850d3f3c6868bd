"""Building an index beside what runs: in a process of its own, so that nothing waits for it."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import SavorError
from savor.index.choose import LARGEST_EXACT, IndexKind, choose_index, open_index
from savor.index.exact import ExactIndex
from savor.index.index import Index

NICENESS = 10
LONGEST = 3600.0
"""Seconds after which a build is given up."""


def rebuild_index(vectors: NDArray[np.float32], kind: str) -> Index:
    """An index over a copy of `vectors`, built by a process that gives way to others.

    Small ones need no process: exact search has nothing to build.

    Args:
        vectors: (N, D) float32.
        kind: of the index that it is to take the place of.

    Raises:
        SavorError: it could not be built (code `index_failed`).
        BundleError: what was built cannot be read.
    """
    wanted: IndexKind = "auto" if kind == ExactIndex.kind else cast("IndexKind", kind)
    if wanted == "auto" and len(vectors) <= LARGEST_EXACT:
        return ExactIndex.build(vectors.copy())
    with TemporaryDirectory(prefix="savor-index-") as folder:
        table, built = Path(folder) / "vectors.npy", Path(folder) / "index"
        np.save(table, vectors)
        command = [sys.executable, "-m", "savor.index.rebuild", str(table), str(built), wanted]
        try:
            done = subprocess.run(  # noqa: S603 - this very module, on files of its own
                command, check=False, capture_output=True, text=True, timeout=LONGEST
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SavorError(
                f"the index of {len(vectors)} items could not be built: {error}", code="index_failed"
            ) from None
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise SavorError(f"the index of {len(vectors)} items could not be built: {last}", code="index_failed")
        return open_index(built)


def _failed(items: int, why: str) -> SavorError:
    return SavorError(f"an index of {items} items could not be built: {why}", code="index_failed")


def main(table: str, built: str, kind: str) -> None:
    """Build an index over the vectors in a file."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    vectors = np.load(table, allow_pickle=False)
    choose_index(len(vectors), cast("IndexKind", kind)).build(vectors).save(Path(built))


if __name__ == "__main__":
    main(*sys.argv[1:])
