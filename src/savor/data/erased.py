"""Persons who were erased are left out of every later data set."""

from collections.abc import Callable, Sequence
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from savor.data.engine import Engine

LEFT_OUT_ERASED = "of a person who was erased"
"""Why the events of such a person are left out."""

_PIECE = 50_000

Erased = Callable[[Sequence[str]], NDArray[np.int64]]
"""(N,) UTC microseconds when each of N users was erased, -1 where that never happened."""


def erased_users(engine: Engine, ids: Any, erased: Erased) -> Any:
    """Those of the users in the one column of `ids` who were erased.

    Returns:
        A table of `original` (text) and `erased` (int64, UTC microseconds).
    """
    part = engine.workspace / f"{engine.new_name('erased')}.parquet"
    schema = pa.schema([("original", pa.string()), ("erased", pa.int64())])
    distinct = ids.distinct()
    distinct = distinct.filter(distinct[distinct.columns[0]].notnull())
    with pq.ParquetWriter(part, schema) as writer:
        for piece in engine.batches(engine.keep("ids", distinct), _PIECE):
            originals = piece.column(0).to_pylist()
            moments = erased(originals)
            gone = np.flatnonzero(moments >= 0).tolist()
            columns = {"original": [originals[row] for row in gone], "erased": moments[gone]}
            writer.write_table(pa.table(columns, schema=schema))
    return engine.ibis.read_parquet(part)


def without_events(rows: Any, gone: Any) -> Any:
    """Typed events with a rule for what a person did up to the moment of erasure, or at no moment one can read."""
    joined = rows.left_join(gone, rows.user == gone.original)
    hidden = joined.erased.notnull() & (joined.moment.isnull() | (joined.moment <= joined.erased))
    return joined.mutate(
        rule=hidden.ifelse(LEFT_OUT_ERASED, joined.rule), reason=hidden.ifelse(ibis.null(str), joined.reason)
    ).drop("original", "erased")
