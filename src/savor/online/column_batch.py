"""Rows as parallel columns: what stores take, keep and give back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import DataError

_ABSENT = -1


@dataclass(frozen=True, eq=False)
class ColumnBatch:
    """The base of typed batches: every field is a column, and all have one length.

    Fields are lists of text (None where there is none), `NDArray[np.int64]` (-1 where there is none) or
    `NDArray[np.float64]` (NaN where there is none).
    """

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in self.names()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"the columns of a batch must have one length, got {lengths}")

    def __len__(self) -> int:
        return len(getattr(self, self.names()[0]))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(_numeric_types(cls))

    @classmethod
    def empty(cls) -> Self:
        """A batch of no rows."""
        return cls.from_rows([])

    @classmethod
    def from_rows(cls, rows: Sequence[Sequence[Any]]) -> Self:
        """N rows with their values in the order of `names`; None stands for what is not there."""
        types = _numeric_types(cls).values()
        columns = zip(*rows, strict=True) if rows else ((),) * len(types)
        return cls(*(_column(numeric, values) for numeric, values in zip(types, columns, strict=True)))

    def rows(self) -> list[tuple[Any, ...]]:
        """What `from_rows` takes."""
        return list(
            zip(
                *(_values(numeric, getattr(self, name)) for name, numeric in _numeric_types(type(self)).items()),
                strict=True,
            )
        )

    def take(self, positions: NDArray[np.intp] | Sequence[int]) -> Self:
        """The rows at `positions`, in that order."""
        chosen = np.asarray(positions, np.intp)
        return type(self)(*(_taken(getattr(self, name), chosen) for name in self.names()))

    @classmethod
    def concatenate(cls, batches: Sequence[Self]) -> Self:
        """The rows of all `batches`, one after the other."""
        if not batches:
            return cls.empty()
        return cls(*(_joined([getattr(batch, name) for batch in batches]) for name in cls.names()))

    def pieces(self, size: int) -> Iterator[Self]:
        """The same rows in batches of at most `size`."""
        for start in range(0, len(self), size):
            yield self.take(range(start, min(start + size, len(self))))


_NUMERIC: dict[Any, type[np.generic]] = {NDArray[np.int64]: np.int64, NDArray[np.float64]: np.float64}
_known: dict[type[ColumnBatch], dict[str, type[np.generic] | None]] = {}


def _numeric_types(batch: type[ColumnBatch]) -> dict[str, type[np.generic] | None]:
    """The columns of a type of batch, and what their numbers are; None for text."""
    types = _known.get(batch)
    if types is None:
        types = _known[batch] = {column.name: _NUMERIC.get(column.type) for column in fields(batch)}
    return types


def _column(numeric: type[np.generic] | None, values: Sequence[Any]) -> Any:
    if numeric is None:
        return list(values)
    if numeric is np.int64:
        return np.array([_ABSENT if value is None else value for value in values], np.int64)
    return np.array(values, np.float64)


def _values(numeric: type[np.generic] | None, column: Any) -> list[Any]:
    if numeric is None:
        return list(column)
    if numeric is np.int64:
        return [None if value == _ABSENT else value for value in column.tolist()]
    return [None if value != value else value for value in column.tolist()]


def _taken(column: Any, chosen: NDArray[np.intp]) -> Any:
    return [column[place] for place in chosen.tolist()] if isinstance(column, list) else column[chosen]


def _joined(columns: Sequence[Any]) -> Any:
    return list(chain.from_iterable(columns)) if isinstance(columns[0], list) else np.concatenate(columns)
