"""Records on local disk that survive a crash at any moment."""

import os
import secrets
import struct
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from savor.core.file_lock import try_lock
from savor.core.files import fsync_directory, write_bytes_atomic
from savor.online.stores.errors import StoreError

_MARK = b"\xf5SVJ"
_HEAD = struct.Struct("<4sII")


@dataclass(frozen=True)
class Segment:
    """What a file of a journal holds.

    Attributes:
        path: the file.
        records: what was appended, in order.
        damaged: bytes that are not a record although records follow them. What a crash cut off at the end was never
            acknowledged, and is not counted.
    """

    path: Path
    records: list[bytes]
    damaged: int


class Journal:
    """A folder of append-only files; each process writes its own and takes over those of processes that died.

    A record is a mark, its length, its CRC-32 and its bytes. Files are held by a lock that the system lets go when the
    process dies, so nobody takes a file that is still written to. Not safe to use from several threads at once.

    Args:
        directory: where they are; made when needed.
        segment_bytes: about how large a file gets.
    """

    def __init__(self, directory: Path, *, segment_bytes: int = 8 << 20) -> None:
        self.directory = directory
        self._segment_bytes = segment_bytes
        self._current: tuple[Path, BinaryIO] | None = None
        self._sealed: dict[Path, BinaryIO] = {}

    def append(self, records: Sequence[bytes]) -> None:
        """Write `records`; they are durable when it returns.

        Raises:
            StoreError: the disk refuses; some of them may be there all the same.
        """
        content = b"".join(
            part for record in records for part in (_HEAD.pack(_MARK, len(record), zlib.crc32(record)), record)
        )
        try:
            _, file = self._current or self._begin()
            rest = memoryview(content)
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
            full = file.tell() >= self._segment_bytes
        except OSError as error:
            self.seal()
            raise StoreError(f"the journal in {self.directory} cannot be written ({error})") from error
        if full:
            self.seal()

    def seal(self) -> None:
        """End the current file; the next record begins another."""
        if self._current is not None:
            path, file = self._current
            self._sealed[path], self._current = file, None

    def adopt(self) -> None:
        """Take over the files of processes that are no more."""
        own = {*self._sealed, *([self._current[0]] if self._current else [])}
        for path in sorted({*self.directory.glob("*.journal")} - own):
            try:
                file = path.open("r+b", buffering=0)
            except FileNotFoundError:
                continue
            if try_lock(file) and path.exists():
                self._sealed[path] = file
            else:
                file.close()

    def sealed(self) -> list[Path]:
        """The ended files, oldest first."""
        return sorted(self._sealed)

    def read(self, path: Path) -> Segment:
        """Everything in an ended file that is whole.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StoreError(f"the journal {path} cannot be read ({error})") from error
        records: list[bytes] = []
        damaged = skipped = place = 0
        while place < len(content):
            record = _record_at(content, place)
            if record is None:
                following = content.find(_MARK, place + 1)
                skipped += (following if following >= 0 else len(content)) - place
                place = following if following >= 0 else len(content)
            else:
                damaged, skipped = damaged + skipped, 0
                records.append(record)
                place += _HEAD.size + len(record)
        return Segment(path, records, damaged)

    def remove(self, path: Path, *, keep_as: str | None = None) -> None:
        """Drop an ended file that is no longer needed, or put it aside under another ending."""
        file = self._sealed.pop(path)
        try:
            if keep_as is None:
                path.unlink(missing_ok=True)
            else:
                os.replace(path, path.with_suffix(keep_as))
            fsync_directory(self.directory)
        finally:
            file.close()

    def put_aside(self, records: Iterable[bytes], ending: str) -> None:
        """Keep `records` in a file of their own, for a person to look at."""
        path = self.directory / f"{time.time_ns():020d}-{secrets.token_hex(4)}{ending}"
        write_bytes_atomic(path, b"\n".join(records) + b"\n")

    def close(self) -> None:
        """Let go of all files; what is in them stays for the next process."""
        self.seal()
        for path, file in self._sealed.items():
            if not os.fstat(file.fileno()).st_size:
                path.unlink(missing_ok=True)
            file.close()
        self._sealed.clear()

    def _begin(self) -> tuple[Path, BinaryIO]:
        """A new file, locked before others can see it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}.journal"
        hidden = path.with_suffix(".partial")
        os.close(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        file: BinaryIO = hidden.open("ab", buffering=0)
        try_lock(file)
        os.replace(hidden, path)
        fsync_directory(self.directory)
        self._current = path, file
        return self._current


def _record_at(content: bytes, place: int) -> bytes | None:
    if place + _HEAD.size > len(content):
        return None
    mark, length, checksum = _HEAD.unpack_from(content, place)
    record = content[place + _HEAD.size : place + _HEAD.size + length]
    whole = mark == _MARK and len(record) == length and zlib.crc32(record) == checksum
    return record if whole else None
