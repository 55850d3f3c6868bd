"""Examples read from Parquet while training."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from savor.data.histories import Histories
from savor.training.retrieval_examples import RetrievalExamples
from savor.training.streaming.mapped_histories import MappedHistories
from savor.training.streaming.write_examples import COLUMNS


class ExamplesOnDisk:
    """What `write_examples` wrote, as an `ExampleSource`; holds two files at most.

    A pass takes the files in an order drawn by seed and pass, and the examples of each in an order drawn by seed, pass
    and file, so any step of any pass can be found by reading one file or two.

    Args:
        directory: given to `write_examples`.
        seed: of the order.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        document = json.loads((directory / "examples.json").read_text(encoding="utf-8"))
        self._directory, self._seed, self._digest = directory, seed, str(document["digest"])
        self._counts = np.asarray(document["counts"], np.int64)
        self._probability: NDArray[np.float32] = np.load(directory / "probability.npy")
        self._mapped = MappedHistories(directory / "histories")
        self._held: dict[tuple[int, int], RetrievalExamples] = {}

    @property
    def histories(self) -> Histories:
        """Views of the files."""
        return self._mapped.histories

    def __len__(self) -> int:
        return int(self._counts.sum())

    def batch(self, epoch: int, step: int, size: int) -> RetrievalExamples:
        """As in `ExampleSource`."""
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._counts))
        ends = np.cumsum(self._counts[order])
        position, stop = step * size, min((step + 1) * size, len(self))
        parts = []
        while position < stop:
            turn = int(np.searchsorted(ends, position, "right"))
            begin = int(ends[turn] - self._counts[order[turn]])
            until = min(stop, int(ends[turn]))
            parts.append(self._shard(epoch, int(order[turn])).take(slice(position - begin, until - begin)))
            position = until
        if len(parts) == 1:
            return parts[0]
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
        return RetrievalExamples(**columns, probability=self._probability)

    def digest(self) -> str:
        """As in `ExampleSource`."""
        return self._digest

    def _shard(self, epoch: int, number: int) -> RetrievalExamples:
        """The examples of a file in the order of a pass."""
        key = (epoch, number)
        if key not in self._held:
            while len(self._held) > 1:
                del self._held[next(iter(self._held))]
            self._mapped.forget()
            table = pq.read_table(self._directory / f"examples-{number:05d}.parquet", use_threads=False)
            order = np.random.default_rng([self._seed, epoch, number]).permutation(len(table))
            columns = {name: table.column(name).to_numpy()[order] for name in COLUMNS}
            self._held[key] = RetrievalExamples(**columns, probability=self._probability)
        return self._held[key]
