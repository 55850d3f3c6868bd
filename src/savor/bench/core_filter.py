"""Leaving out users and items with few events, until nobody has few."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from savor.core.errors import DataError


def k_core(user: NDArray[np.int64], item: NDArray[np.int64], core: int) -> NDArray[np.bool_]:
    """(N,) bool: the events in the largest set where every user and every item has at least `core` of them.

    Args:
        user: (N,) codes from 0.
        item: (N,) codes from 0.
        core: least number of events.
    """
    kept = np.ones(len(user), np.bool_)
    while True:
        users = np.bincount(user[kept], minlength=int(user.max(initial=0)) + 1)
        items = np.bincount(item[kept], minlength=int(item.max(initial=0)) + 1)
        stays = kept & (users[user] >= core) & (items[item] >= core)
        if stays.sum() == kept.sum():
            return kept
        kept = stays


def filter_to_core(path: Path, user: str, item: str, core: int) -> None:
    """Rewrite the Parquet file `path` with only the events of its core.

    Raises:
        DataError: nothing is left.
    """
    table = pq.read_table(path)
    codes = [table.column(name).combine_chunks().dictionary_encode().indices.to_numpy() for name in (user, item)]
    kept = k_core(codes[0], codes[1], core)
    if not kept.any():
        raise DataError(f"no event is left where every user and item must have {core}")
    beside = path.with_suffix(".core.parquet")
    pq.write_table(table.filter(pa.array(kept)), beside)
    beside.replace(path)
