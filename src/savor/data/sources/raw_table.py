"""A table as its source has it, before Savor knows what its columns mean."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RawTable:
    """An opened source.

    Attributes:
        rows: Ibis table with the source's columns and `engine.ROW` (int64, from 1), the row's number in the source.
        columns: the source's columns, in its order.
        rejected: Ibis table of lines that are no rows at all, with `line` (int64), `reason` and `original` (text);
            None where the format cannot have any.
        description: the source as a person would name it, without passwords.
        files: files that were read, for formats with files.
    """

    rows: Any
    columns: tuple[str, ...]
    rejected: Any | None
    description: str
    files: tuple[str, ...] = ()
