"""Examples written to Parquet, a block of users at a time."""

from dataclasses import dataclass, fields, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from savor.core.files import write_json_atomic
from savor.data.events import Events
from savor.data.histories import Histories
from savor.training.retrieval_examples import RetrievalExamples
from savor.training.streaming.mapped_histories import HistoriesWriter

COLUMNS = tuple(field.name for field in fields(RetrievalExamples) if field.name != "probability")


@dataclass(frozen=True)
class BlockSizes:
    """How much is held at a time.

    Attributes:
        events: about so many events of a block of users, while writing.
        examples: about so many examples of a Parquet file, while reading.
    """

    events: int = 1_000_000
    examples: int = 1_000_000


def write_examples(
    events: Events,
    directory: Path,
    number_of_users: int,
    number_of_items: int,
    *,
    positives: str = "all",
    weights: NDArray[np.float32] | None = None,
    sizes: BlockSizes | None = None,
) -> None:
    """Write `histories/`, `examples-*.parquet`, `probability.npy` and `examples.json`.

    Each example goes to a file drawn at random, so that each file is a sample of all: a random order of the files, and
    of the examples in each, is then a random order of all.

    Args:
        events: what may be learnt from, in time order.
        directory: empty or not there.
        number_of_users: U.
        number_of_items: I.
        positives: as in `RetrievalExamples.from_events`.
        weights: likewise.
        sizes: how much is held at a time.
    """
    sizes = sizes or BlockSizes()
    histories = HistoriesWriter(directory / "histories")
    shards = max(1, -(-len(events) // sizes.examples))
    counts, digest = np.zeros(shards, np.int64), sha256()
    chosen = np.zeros(number_of_items, np.int64)
    writers: dict[int, pq.ParquetWriter] = {}
    rng = np.random.default_rng(0)
    for low, high in _blocks(events.user, number_of_users, sizes.events):
        block = events.select(np.flatnonzero((events.user >= low) & (events.user < high)))
        own = Histories.from_events(replace(block, user=block.user - np.int32(low)), high - low)
        whole = replace(own, indptr=np.concatenate([np.zeros(low, np.int64), own.indptr]))
        examples = RetrievalExamples.from_events(block, whole, number_of_items, positives=positives, weights=weights)
        offset = histories.written
        histories.add(own)
        for column in (examples.user, examples.item, examples.now, examples.weight, own.item):
            digest.update(np.ascontiguousarray(column).data)
        chosen += np.bincount(examples.item, minlength=number_of_items)
        columns = {name: getattr(examples, name) for name in COLUMNS}
        columns |= {"end": examples.end + offset, "stop": examples.stop + offset}
        shard = rng.integers(0, shards, len(examples))
        for number in range(shards):
            table = pa.table({name: column[shard == number] for name, column in columns.items()})
            if number not in writers:
                writers[number] = pq.ParquetWriter(directory / f"examples-{number:05d}.parquet", table.schema)
            writers[number].write_table(table)
            counts[number] += len(table)
    for writer in writers.values():
        writer.close()
    histories.close()
    np.save(directory / "probability.npy", (chosen / max(chosen.sum(), 1)).astype(np.float32))
    write_json_atomic(directory / "examples.json", {"counts": counts.tolist(), "digest": digest.hexdigest()})


def _blocks(users: NDArray[np.int32], number_of_users: int, most: int) -> list[tuple[int, int]]:
    """Ranges of users with about `most` events each (more where one user has more)."""
    ends = np.cumsum(np.bincount(users, minlength=number_of_users))
    blocks, low = [], 0
    while low < number_of_users:
        before = ends[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(ends, before + most, "right")))
        blocks.append((low, high))
        low = high
    return blocks
