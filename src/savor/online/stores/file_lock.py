"""Locks on files that the system lets go of when their holder dies."""

import sys
from typing import IO, Any


def try_lock(file: IO[Any]) -> bool:
    """Lock `file` for as long as it is open; False where somebody else holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
