"""What is not wrong in an ingested data set, but should be known."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

_DAY = 86_400
_MANY = 0.005


def find_warnings(directory: Path, split_counts: dict[str, int], duplicates: float = 0.0) -> tuple[str, ...]:
    """Sentences about the data set in `directory`, the gravest first.

    Args:
        directory: a folder with `events.parquet`.
        split_counts: events by split.
        duplicates: share of the rows that were removed as duplicates.
    """
    warnings = []
    if duplicates > _MANY:
        warnings.append(
            f"{duplicates:.1%} of the rows were equal to another and were removed; if people really do the same thing "
            "twice at one moment, set `remove_duplicates = false` or name `duplicate_keys` in [ingest]"
        )
    warnings += [f"no event falls in the {name} split" for name, count in split_counts.items() if not count]
    with pq.ParquetFile(directory / "events.parquet") as file:
        dates_only = all(not np.any(batch.column(0).to_numpy() % _DAY) for batch in file.iter_batches(columns=["time"]))
    if dates_only:
        warnings.append("all moments are at midnight UTC: they seem to be dates, so the time of day says nothing")
    return tuple(warnings)
