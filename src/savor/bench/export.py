"""A benchmark's split and questions as plain files, for models of other projects."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from savor.bench.prepare import Prepared
from savor.bench.questions import Questions, RankingOptions
from savor.core.errors import DataError
from savor.core.files import directory_atomic, write_json_atomic
from savor.data.splits import TRAIN

FORMAT = 1


def export_split(prepared: Prepared, options: RankingOptions, out: Path) -> Path:
    """Write what a peer may know and what it is asked; nothing of the test is in it.

    - `events.parquet`: user, item (int32 rows of the tables), time (UTC seconds), place (int32, order within the user
      from 0), value, validation (bool): everything known before the test, in time order.
    - `questions-<task>.npz`: `users` (Q,) int32 in the order that answers must have.
    - `protocol.json`: number of users and items, length of the lists, which tasks leave out seen items, split hash.

    Raises:
        DataError: `out` is a file.
    """
    if out.is_file():
        raise DataError(f"{out} is a file; give a folder")
    questions = Questions.of(prepared.dataset, options)
    known = questions.known
    order = np.argsort(known.user, kind="stable")
    place = np.empty(len(known), np.int32)
    counts = np.bincount(known.user, minlength=questions.number_of_users)
    place[order] = np.arange(len(known)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = pa.table(
        {
            "user": known.user,
            "item": known.item,
            "time": known.time,
            "place": place,
            "value": known.value,
            "validation": known.split != TRAIN,
        }
    )
    with directory_atomic(out) as folder:
        pq.write_table(table, folder / "events.parquet")
        for task, holdout in questions.test.items():
            np.savez(folder / f"questions-{task}.npz", users=holdout.users)
        write_json_atomic(
            folder / "protocol.json",
            {
                "format": FORMAT,
                "title": prepared.benchmark.title,
                "number_of_users": questions.number_of_users,
                "number_of_items": questions.number_of_items,
                "length": options.length,
                "exclude_seen": {task: holdout.excludes_seen for task, holdout in questions.test.items()},
                "split_hash": prepared.dataset.split["hash"],
            },
        )
    return out
