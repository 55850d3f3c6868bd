"""How processes of one machine tell each other that something changed."""

import mmap
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from savor.core.file_lock import try_lock

_SLOTS = 64
_BYTES = 8


class ChangeSignal:
    """A small file that all processes map into their memory: each counts its changes in a place of its own.

    Asking costs less than a microsecond. A process that finds no free place, or whose file cannot be made, tells nobody
    of its changes; the others then find them in the database a moment later.

    Args:
        file: on a disk of this machine; made where it is absent.
    """

    def __init__(self, file: Path) -> None:
        self._map: mmap.mmap | None = None
        self._held: BinaryIO | None = None
        self._place: slice | None = None
        self._seen = b""
        self._count = int.from_bytes(os.urandom(_BYTES - 1))
        with suppress(OSError):
            self._open(file)

    def _open(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < _SLOTS * _BYTES:
                os.ftruncate(descriptor, _SLOTS * _BYTES)
            self._map = mmap.mmap(descriptor, _SLOTS * _BYTES)
        finally:
            os.close(descriptor)
        self._seen = self._others()
        for number in range(_SLOTS):
            holder = file.with_name(f"{file.name}.{number}").open("ab")
            if try_lock(holder):
                self._held = holder
                self._place = slice(number * _BYTES, (number + 1) * _BYTES)
                self._seen = self._others()
                return
            holder.close()

    def give(self) -> None:
        """Tell the others that something changed, after it did."""
        if self._map is not None and self._place is not None:
            self._count = (self._count + 1) % (1 << 8 * _BYTES)
            self._map[self._place] = self._count.to_bytes(_BYTES)

    def changed(self) -> bool:
        """Whether another process changed something since this was last asked."""
        if self._map is None:
            return False
        now = self._others()
        if now == self._seen:
            return False
        self._seen = now
        return True

    def close(self) -> None:
        """Give the place back."""
        if self._map is not None:
            self._map.close()
            self._map = None
        if self._held is not None:
            self._held.close()

    def _others(self) -> bytes:
        assert self._map is not None
        everything = self._map[:]
        if self._place is None:
            return everything
        return everything[: self._place.start] + everything[self._place.stop :]
