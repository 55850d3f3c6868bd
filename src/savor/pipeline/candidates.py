"""Items under consideration, as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_NO_ITEMS, _NO_SCORES = np.empty(0, np.int32), np.empty(0, np.float32)


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
        from savor.pipeline.candidates_kernel import joined

        bits = [bit for bit, name in enumerate(names) if name in retrieved]
        parts = [retrieved[names[bit]] for bit in bits]
        brought = np.concatenate([_NO_ITEMS, *(part.item for part in parts)])
        score = np.concatenate([_NO_SCORES, *(part.score for part in parts)])
        ends = np.cumsum([len(part.item) for part in parts], dtype=np.int64)
        order = np.argsort(brought, kind="stable")
        item, source, values = joined(brought, score, order, ends, np.asarray(bits, np.int64), len(names))
        columns: dict[str, NDArray[np.float32]] = {}
        for name, (own, rank) in zip(names, values, strict=True):
            columns[f"{name}_score"], columns[f"{name}_rank"] = own, rank
        return cls(item, np.full(len(item), np.nan, np.float32), source, columns)

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
