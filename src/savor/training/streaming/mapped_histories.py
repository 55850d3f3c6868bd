"""Histories on disk, mapped into memory."""

import mmap
from pathlib import Path
from typing import Any

import numpy as np

from savor.data.histories import Histories

COLUMNS = ("item", "time", "kind", "value", "price", "basket")


class HistoriesWriter:
    """Writes histories a block of users at a time, in the order of users.

    Args:
        directory: where one file per column is made.
    """

    def __init__(self, directory: Path) -> None:
        self._directory, self._ends = directory, [np.zeros(1, np.int64)]
        directory.mkdir(parents=True, exist_ok=True)
        self._files = {name: (directory / f"{name}.raw").open("wb") for name in COLUMNS}

    @property
    def written(self) -> int:
        """Events so far."""
        return int(self._ends[-1][-1])

    def add(self, block: Histories) -> None:
        """Append the users of `block`."""
        self._ends.append(self.written + block.indptr[1:])
        for name, file in self._files.items():
            getattr(block, name).tofile(file)

    def close(self) -> None:
        """Finish the files."""
        for file in self._files.values():
            file.close()
        np.save(self._directory / "indptr.npy", np.concatenate(self._ends))


class MappedHistories:
    """What `HistoriesWriter` wrote.

    Attributes:
        histories: their columns are views of the files; what is not looked at takes no memory.
    """

    def __init__(self, directory: Path) -> None:
        kinds = {"item": np.int32, "time": np.int64, "kind": np.uint8, "value": np.float32, "price": np.float32,
                 "basket": np.int64}  # fmt: skip
        self._maps: list[mmap.mmap] = []
        columns: dict[str, Any] = {}
        for name, kind in kinds.items():
            path = directory / f"{name}.raw"
            if path.stat().st_size == 0:
                columns[name] = np.empty(0, kind)
                continue
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._maps.append(mapped)
            columns[name] = np.frombuffer(mapped, kind)
        self.histories = Histories(np.load(directory / "indptr.npy"), **columns)

    def forget(self) -> None:
        """Let go of the pages that were looked at; they are read again when needed."""
        for mapped in self._maps if hasattr(mmap, "MADV_DONTNEED") else ():
            mapped.madvise(mmap.MADV_DONTNEED)
