"""Columns of the item and user tables, encoded: categories, tags and numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class CategoryColumn(NamedTuple):
    """One value per row.

    Attributes:
        codes: (R,) int32, position in `values`; 0 where unknown.
        values: the distinct values after `values[0] == ""`: in sorted order, and then those that came later.
    """

    codes: NDArray[np.int32]
    values: list[str]

    def changed(self, rows: int, values: Mapping[int, str | None]) -> "CategoryColumn":
        """The same with `rows` rows, unknown at its end, and other `values` in some; None and "" are unknown."""
        codes = extended(self.codes, rows, 0)
        known = {value: code for code, value in enumerate(self.values)}
        more: list[str] = []
        for row, value in values.items():
            if value and value not in known:
                known[value] = len(known)
                more.append(value)
            codes[row] = known[value or ""]
        return CategoryColumn(codes, [*self.values, *more] if more else self.values)

    def of(self, row: int) -> str:
        """The value of one row."""
        return self.values[int(self.codes[row])]

    @classmethod
    def from_strings(cls, strings: Sequence[str | None]) -> "CategoryColumn":
        """Encode one string per row; None and "" are unknown."""
        values = ["", *sorted({string for string in strings if string})]
        code = {value: position for position, value in enumerate(values)}
        return cls(np.asarray([code[string or ""] for string in strings], np.int32), values)


class TagColumn(NamedTuple):
    """Any number of values per row, as compressed rows.

    Attributes:
        indptr: (R + 1,) int64; row r's codes stand at `indptr[r]:indptr[r + 1]`, ascending and distinct.
        codes: (N,) int32, positions in `values`, never 0.
        values: the distinct values after `values[0] == ""`: in sorted order, and then those that came later.
    """

    indptr: NDArray[np.int64]
    codes: NDArray[np.int32]
    values: list[str]

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[str] | None]) -> "TagColumn":
        """Encode one list of strings per row; None is an empty list, and empty strings are left out."""
        values = ["", *sorted({string for strings in lists for string in strings or () if string})]
        code = {value: position for position, value in enumerate(values)}
        rows = [sorted({code[string] for string in strings or () if string}) for strings in lists]
        indptr = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=indptr[1:])
        return cls(indptr, np.asarray([number for row in rows for number in row], np.int32), values)

    def of(self, row: int) -> list[str]:
        """The values of one row."""
        return [self.values[code] for code in self.codes[self.indptr[row] : self.indptr[row + 1]]]

    def changed(self, rows: int, values: Mapping[int, Sequence[str]]) -> "TagColumn":
        """The same with `rows` rows, empty at its end, and other `values` in some."""
        known = {value: code for code, value in enumerate(self.values)}
        more: list[str] = []
        codes: dict[int, list[int]] = {}
        for row, strings in values.items():
            for string in strings:
                if string and string not in known:
                    known[string] = len(known)
                    more.append(string)
            codes[row] = sorted({known[string] for string in strings if string})
        old = np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))
        kept = np.isin(old, list(codes), invert=True)
        owner = [row for row, listed in codes.items() for _ in listed]
        owners = np.concatenate([old[kept], np.asarray(owner, np.int64)])
        listed = [code for listed in codes.values() for code in listed]
        code = np.concatenate([self.codes[kept], np.asarray(listed, np.int32)])
        order = np.argsort(owners, kind="stable")
        indptr = np.zeros(rows + 1, np.int64)
        np.cumsum(np.bincount(owners, minlength=rows), out=indptr[1:])
        return TagColumn(indptr, code[order], [*self.values, *more] if more else self.values)


class Columns(NamedTuple):
    """The declared columns of one table by name, each with R rows.

    Attributes:
        categories: from the widest level to the narrowest.
        tags: multi-valued categories.
        numerics: (R,) float32, NaN where unknown.
    """

    categories: Mapping[str, CategoryColumn]
    tags: Mapping[str, TagColumn]
    numerics: Mapping[str, NDArray[np.float32]]

    @classmethod
    def from_table(
        cls, table: Any, categories: Sequence[str], tags: Sequence[str], numerics: Sequence[str]
    ) -> "Columns":
        """The named columns of an Arrow table."""
        return cls(
            {name: CategoryColumn.from_strings(table.column(name).to_pylist()) for name in categories},
            {name: TagColumn.from_lists(table.column(name).to_pylist()) for name in tags},
            {name: numbers(table, name) for name in numerics},
        )

    def take(self, rows: NDArray[np.int32]) -> "Columns":
        """Those rows only, with the values that they have."""
        categories = {}
        for name, column in self.categories.items():
            known, codes = np.unique(np.append(0, column.codes[rows]), return_inverse=True)
            values = [column.values[code] for code in known.tolist()]
            categories[name] = CategoryColumn(codes[1:].astype(np.int32), values)
        return Columns(
            categories,
            {name: TagColumn.from_lists([tag.of(row) for row in rows.tolist()]) for name, tag in self.tags.items()},
            {name: column[rows] for name, column in self.numerics.items()},
        )

    def save(self, directory: Path) -> dict[str, Any]:
        """Write the arrays as `.npy` files, and give the rest as a JSON value for `load`."""
        for number, category in enumerate(self.categories.values()):
            np.save(directory / f"category_{number}.npy", category.codes)
        for number, tag in enumerate(self.tags.values()):
            np.save(directory / f"tag_indptr_{number}.npy", tag.indptr)
            np.save(directory / f"tag_codes_{number}.npy", tag.codes)
        for number, column in enumerate(self.numerics.values()):
            np.save(directory / f"numeric_{number}.npy", column)
        return {
            "categories": [[name, column.values] for name, column in self.categories.items()],
            "tags": [[name, column.values] for name, column in self.tags.items()],
            "numerics": list(self.numerics),
        }

    @classmethod
    def load(cls, directory: Path, document: Mapping[str, Any]) -> "Columns":
        """Read what `save` wrote and gave; raises OSError, ValueError or KeyError where it is damaged."""

        def array(name: str) -> Any:
            return np.load(directory / f"{name}.npy", allow_pickle=False)

        return cls(
            {
                name: CategoryColumn(array(f"category_{number}"), values)
                for number, (name, values) in enumerate(document["categories"])
            },
            {
                name: TagColumn(array(f"tag_indptr_{number}"), array(f"tag_codes_{number}"), values)
                for number, (name, values) in enumerate(document["tags"])
            },
            {name: array(f"numeric_{number}") for number, name in enumerate(document["numerics"])},
        )


def extended(column: NDArray[Any], rows: int, fill: float) -> NDArray[Any]:
    """A copy of (R,) or (R, W) `column` with `rows` rows; those at its end are `fill`."""
    longer = np.full((rows, *column.shape[1:]), fill, column.dtype)
    longer[: len(column)] = column
    return longer


def numbers(table: Any, column: str) -> NDArray[np.float32]:
    """(R,) float32 of an Arrow column of numbers or booleans, NaN where null."""
    values = table.column(column).to_pylist()
    return np.asarray([np.nan if value is None else float(value) for value in values], np.float32)
