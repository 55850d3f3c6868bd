"""How a number was distributed in training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
"""Most bins of a number, beside the one for unknown values."""


@dataclass(frozen=True)
class NumericReference:
    """A number's distribution.

    Attributes:
        edges: (B - 2,) float64, rising; bin b holds edges[b - 1] < value <= edges[b], the last bin what is unknown.
        counts: (B,) int64.
        n: independent observations behind the counts.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    n: float

    @classmethod
    def fit(cls, values: NDArray[np.float32], n: float | None = None, bins: int = BINS) -> "NumericReference":
        """Bins at the quantiles.

        Args:
            values: (N,) float32; NaN is unknown.
            n: how many of them are independent; absent, all.
            bins: at most so many; fewer where many values are equal.
        """
        known = values[np.isfinite(values)].astype(np.float64)
        levels = np.linspace(0, 1, bins + 1)[1:-1]
        edges = np.unique(np.quantile(known, levels, method="inverted_cdf")) if len(known) else np.empty(0)
        edges = edges[edges < known.max()] if len(known) else edges
        made = cls(edges, np.zeros(len(edges) + 2, np.int64), float(len(values) if n is None else n))
        np.add.at(made.counts, made.bins(values), 1)
        return made

    def bins(self, values: NDArray[np.float32]) -> NDArray[np.intp]:
        """The bin of each value."""
        found = np.searchsorted(self.edges, values.astype(np.float64), side="left")
        found[~np.isfinite(values)] = len(self.edges) + 1
        return found

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"edges": self.edges.tolist(), "counts": self.counts.tolist(), "n": self.n}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "NumericReference":
        """From `as_json`; raises KeyError or ValueError where it is damaged."""
        edges, counts = np.array(value["edges"], np.float64), np.array(value["counts"], np.int64)
        if len(counts) != len(edges) + 2 or (np.diff(edges) <= 0).any() or (counts < 0).any():
            raise ValueError("bins do not fit together")
        return cls(edges, counts, float(value["n"]))
