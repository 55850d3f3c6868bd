"""Names for the content of tables, whatever file, row groups or machine they are in."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from savor.core.hashing import sha256_json
from savor.data.schema import Schema


def column_digests(file: Path) -> dict[str, str]:
    """The SHA-256 of each column of a Parquet file, in order of rows, read in pieces."""
    with pq.ParquetFile(file) as parquet:
        schema = parquet.schema_arrow
        digests = {name: hashlib.sha256(str(schema.field(name).type).encode()) for name in schema.names}
        for batch in parquet.iter_batches():
            for name, digest in digests.items():
                _update(digest, batch.column(name))
    return {name: digest.hexdigest() for name, digest in digests.items()}


def fingerprint(schema: Schema, kinds: tuple[str, ...], tables: dict[str, dict[str, str]]) -> str:
    """64 hexadecimal digits over the content of the tables and what their columns mean, not where they came from.

    Args:
        schema: the declared roles.
        kinds: names of the kinds of events.
        tables: per table, what `column_digests` says.
    """
    return sha256_json({"schema": meaning(schema), "kinds": list(kinds), "tables": tables})


def meaning(schema: Schema) -> dict[str, Any]:
    """The schema as JSON without the places its tables come from."""
    roles = schema.model_dump(mode="json")
    for table in roles.values():
        if isinstance(table, dict):
            for place in ("source", "query"):
                table.pop(place, None)
    return roles


def _update(digest: Any, column: Any) -> None:
    digest.update(pc.is_valid(column).to_numpy(zero_copy_only=False).tobytes())
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        digest.update(pc.fill_null(pc.list_value_length(column), 0).cast(pa.int64()).to_numpy().tobytes())
        _update(digest, column.flatten())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        filled = pc.fill_null(column, "")
        digest.update(pc.binary_length(filled).cast(pa.int64()).to_numpy().tobytes())
        digest.update("".join(filled.to_pylist()).encode())
    else:
        digest.update(pc.fill_null(column, 0).to_numpy(zero_copy_only=False).tobytes())
