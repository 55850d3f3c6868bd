"""Items under consideration, as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Retrieved(NamedTuple):
    """What one source brings, best first.

    Attributes:
        item: (k,) int32 distinct item rows.
        score: (k,) float32 in the source's own units.
    """

    item: NDArray[np.int32]
    score: NDArray[np.float32]

    @classmethod
    def empty(cls) -> "Retrieved":
        """Nothing."""
        return cls(np.empty(0, np.int32), np.empty(0, np.float32))


@dataclass(frozen=True)
class Candidates:
    """N distinct items.

    Attributes:
        item: (N,) int32 item rows.
        score: (N,) float32; NaN until ranked.
        source: (N,) uint16; bit b is set where the pipeline's source number b brought the item.
        columns: by name, (N,) float32: `<source>_score` and `<source>_rank` (1 is best) for every source; both are NaN
            where it did not bring the item. `merit`, where it is there, decides the order in the place of the score.
    """

    item: NDArray[np.int32]
    score: NDArray[np.float32]
    source: NDArray[np.uint16]
    columns: Mapping[str, NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.item)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Candidates":
        """The candidates at `rows`, a mask or positions, in that order."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Candidates(self.item[rows], self.score[rows], self.source[rows], columns)

    def scored(self, score: NDArray[np.float32]) -> "Candidates":
        """The same candidates with other scores."""
        return replace(self, score=score)

    def enriched(self, columns: Mapping[str, NDArray[np.float32]]) -> "Candidates":
        """The same candidates with more columns."""
        return replace(self, columns={**self.columns, **columns})

    @classmethod
    def merge(cls, names: Sequence[str], retrieved: Mapping[str, Retrieved]) -> "Candidates":
        """The union of what the sources brought, in the order of item rows.

        Args:
            names: all sources of the pipeline; the position gives the bit in `source`.
            retrieved: by source; one that is not there brought nothing.
        """
        parts = [retrieved[name].item for name in names if name in retrieved]
        everything = np.concatenate(parts) if parts else np.empty(0, np.int32)
        item, inverse = np.unique(everything, return_inverse=True)
        source = np.zeros(len(item), np.uint16)
        columns: dict[str, NDArray[np.float32]] = {}
        values = np.full((len(names), 2, len(item)), np.nan, np.float32)
        start = 0
        for bit, name in enumerate(names):
            score, rank = values[bit]
            if name in retrieved:
                brought = retrieved[name]
                rows = inverse[start : start + len(brought.item)]
                start += len(rows)
                score[rows] = brought.score
                rank[rows] = np.arange(1, len(rows) + 1)
                source[rows] |= np.uint16(1 << bit)
            columns[f"{name}_score"], columns[f"{name}_rank"] = score, rank
        return cls(item.astype(np.int32, copy=False), np.full(len(item), np.nan, np.float32), source, columns)

    @classmethod
    def unsourced(cls, names: Sequence[str], item: NDArray[np.int32]) -> "Candidates":
        """The distinct rows `item`, brought by none of the sources `names`."""
        size = len(item)
        columns = {f"{name}_{kind}": np.full(size, np.nan, np.float32) for name in names for kind in ("score", "rank")}
        return cls(item, np.full(size, np.nan, np.float32), np.zeros(size, np.uint16), columns)

    @classmethod
    def concatenate(cls, first: "Candidates", second: "Candidates") -> "Candidates":
        """The rows of both, which hold no item in common and the same columns."""
        columns = {name: np.concatenate([column, second.columns[name]]) for name, column in first.columns.items()}
        return cls(
            np.concatenate([first.item, second.item]),
            np.concatenate([first.score, second.score]),
            np.concatenate([first.source, second.source]),
            columns,
        )
