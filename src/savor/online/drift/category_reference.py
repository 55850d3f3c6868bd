"""How often each value of a column was there in training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CATEGORIES = 30
"""Most values with a bin of their own; the rest share one."""

OTHER = "(other)"
UNKNOWN = ""


@dataclass(frozen=True)
class CategoryReference:
    """Shares of categories.

    Attributes:
        values: those with a bin of their own, the most frequent first; what is unknown is `""`, all others `(other)`.
        counts: (B,) int64.
        n: independent observations.
    """

    values: tuple[str, ...]
    counts: NDArray[np.int64]
    n: float

    @classmethod
    def fit(cls, strings: Sequence[str], most: int = CATEGORIES) -> "CategoryReference":
        """The most frequent values; ties in the order of the alphabet."""
        values, counts = np.unique(np.asarray(strings, dtype=np.str_), return_counts=True)
        order = np.lexsort((values, -counts))[:most]
        kept = [str(value) for value in values[order]]
        kept = [*kept, *(name for name in (UNKNOWN, OTHER) if name not in kept)]
        made = cls(tuple(kept), np.zeros(len(kept), np.int64), float(len(strings)))
        return cls(made.values, made.count(strings), made.n)

    def count(self, strings: Sequence[str]) -> NDArray[np.int64]:
        """(B,) int64, how many of `strings` fall into each bin."""
        place = {value: number for number, value in enumerate(self.values)}
        other = place[OTHER]
        values, counts = np.unique(np.asarray(strings, dtype=np.str_), return_counts=True)
        rows = np.fromiter((place.get(str(value), other) for value in values), np.intp, len(values))
        return np.bincount(rows, counts, len(self.values)).astype(np.int64)

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"values": list(self.values), "counts": self.counts.tolist(), "n": self.n}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "CategoryReference":
        """From `as_json`; raises KeyError or ValueError where it is damaged."""
        values, counts = tuple(map(str, value["values"])), np.array(value["counts"], np.int64)
        if len(values) != len(counts) or OTHER not in values or len(set(values)) != len(values):
            raise ValueError("categories do not fit together")
        return cls(values, counts, float(value["n"]))
