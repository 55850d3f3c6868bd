"""Splits as columns of the data engine, and the name of a split."""

import hashlib
from pathlib import Path
from typing import Any

import ibis
import pyarrow.parquet as pq

from savor.data.splits import LEAST_EVENTS, SPELLINGS, TEST, TRAIN, VALIDATION, SplitOptions

_PARTS = 1_000_000


def temporal_split(time: Any, cuts: tuple[int, int]) -> Any:
    """The split (uint8) by an Ibis column of UTC seconds."""
    return ibis.cases((time >= cuts[1], TEST), (time >= cuts[0], VALIDATION), else_=TRAIN).cast("uint8")


def leave_one_out_split(user: Any, order: list[Any]) -> Any:
    """The split (uint8) that tests on each user's last event and validates on the one before.

    Args:
        user: Ibis column of users.
        order: Ibis columns that put a user's events in one order, without ties.
    """
    window = ibis.window(group_by=user, order_by=[ibis.desc(column, nulls_first=True) for column in order])
    from_end = ibis.row_number().over(window)
    number_of_events = user.count().over(ibis.window(group_by=user))
    few = number_of_events < LEAST_EVENTS
    return ibis.cases((few, TRAIN), (from_end == 0, TEST), (from_end == 1, VALIDATION), else_=TRAIN).cast("uint8")


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def md5_number_lower(text: str) -> int:  # type: ignore[empty-body]
    """The lower 64 bits of the MD5 of a text, by the data engine."""


def random_split(row: Any, options: SplitOptions) -> Any:
    """The split (uint8) by chance: a hash of the seed and the number of the row decides, so it is the same every time.

    Args:
        row: Ibis column with the number of each event in the source.
        options: shares and seed.
    """
    drawn = md5_number_lower(ibis.literal(f"{options.seed}:") + row.cast("string")) % _PARTS
    test, validation = round(options.test * _PARTS), round(options.validation * _PARTS)
    return ibis.cases((drawn < test, TEST), (drawn < test + validation, VALIDATION), else_=TRAIN).cast("uint8")


def named_split(column: Any) -> Any:
    """The split (uint8) by an Ibis column of names; null where a name is not known."""
    name = column.lower()
    return ibis.cases(*[(name == spelling, value) for spelling, value in SPELLINGS.items()]).cast("uint8")


def split_hash(events: Path, identities: list[str]) -> str:
    """64 hexadecimal digits that name who did what when, and in which split.

    Args:
        events: the Parquet file with the columns of `Events`, in its order.
        identities: digests of the id columns that the numbers in `user` and `item` point to.
    """
    digests = {name: hashlib.sha256() for name in ("user", "item", "time", "kind", "split")}
    with pq.ParquetFile(events) as file:
        for batch in file.iter_batches(columns=list(digests)):
            for name, digest in digests.items():
                digest.update(batch.column(name).to_numpy(zero_copy_only=False).tobytes())
    whole = hashlib.sha256("".join(identities).encode())
    for digest in digests.values():
        whole.update(digest.digest())
    return whole.hexdigest()
