"""Selector: not too many of one kind."""

import numpy as np
from numpy.typing import NDArray

from savor.features.columns import CategoryColumn
from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class CategoryCap:
    """Moves what goes beyond `cap` items of one category behind everything else; unknown categories are not capped.

    Args:
        category: the level to count at.
        cap: how many items of one category the list may hold before others had their turn.
    """

    name = "category_cap"
    reads = frozenset({"item", "score"})
    writes = frozenset[str]()
    required = False

    def __init__(self, category: CategoryColumn, cap: int) -> None:
        self._codes, self._cap = category.codes, cap

    def select(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.intp]:  # noqa: ARG002
        """All positions: those within the cap in the order they came, then those beyond it."""
        order = np.arange(len(candidates))
        if not query.diverse:
            return order
        codes = self._codes[candidates.item]
        grouped = np.argsort(codes, kind="stable")
        sorted_codes = codes[grouped]
        first = np.searchsorted(sorted_codes, sorted_codes)
        turn = np.empty(len(order), np.intp)
        turn[grouped] = np.arange(len(order)) - first
        beyond = (turn >= self._cap) & (codes > 0)
        return np.concatenate([order[~beyond], order[beyond]])
