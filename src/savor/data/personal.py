"""Keyed hashes in the place of user ids."""

import os
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from savor.core.errors import DataError
from savor.core.pseudonym import KEY_VARIABLE, pseudonym
from savor.data.engine import Engine

_SHORTEST_KEY = 16
_PIECE = 100_000


def pseudonym_key() -> str:
    """The key from the environment; it is never stored.

    Raises:
        DataError: the variable is not set, or its value is too short to protect anything.
    """
    key = os.environ.get(KEY_VARIABLE, "")
    if len(key) < _SHORTEST_KEY:
        state = "is not set" if not key else f"has fewer than {_SHORTEST_KEY} characters"
        raise DataError(
            f"user ids are marked personal, and the environment variable {KEY_VARIABLE} with the key for their hashes "
            f"{state}. Make one with: python -c 'import secrets; print(secrets.token_hex(32))', keep it safe, and "
            "give the same one to every ingest and to the server",
            code="pseudonym_key_missing",
        )
    return key


def pseudonyms(engine: Engine, ids: Any, key: str) -> Any:
    """A table (`original`, `pseudonym`) for the one column of the Ibis table `ids`, made in pieces."""
    distinct = ids.rename(original=ids.columns[0]).filter(lambda row: row.original.notnull()).distinct()
    schema = pa.schema([("original", pa.string()), ("pseudonym", pa.string())])
    part = engine.workspace / f"{engine.new_name('pseudonyms')}.parquet"
    with pq.ParquetWriter(part, schema) as writer:
        for piece in engine.batches(engine.keep("ids", distinct), _PIECE):
            originals = piece.column(0).to_pylist()
            hashed = [pseudonym(original, key) for original in originals]
            writer.write_table(pa.table({"original": originals, "pseudonym": hashed}, schema=schema))
    return engine.ibis.read_parquet(part)
