"""Selector: a list that is not all of one kind."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from savor.features.columns import CategoryColumn
from savor.pipeline.candidates import Candidates
from savor.pipeline.fairness.capped_mmr import Cap, capped_mmr, within_caps
from savor.pipeline.merit import merit_of
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated

_WINDOW = 5
_MOST_PLACES = 100
_TINY = np.float32(1e-9)


class DiversityRules:
    """Caps on categories and businesses, and maximal marginal relevance over item vectors; see `capped_mmr`.

    What goes beyond a cap comes when nothing within the caps is left. Items shown on earlier pages count. With `mmr`,
    the places of a page (the first hundred at most) are filled from five times as many candidates.

    Args:
        caps: columns with how many items of one value the list may hold before others had their turn.
        vectors: (I, D) float32 of any length; None where there are none.
        mmr: weight of unlikeness, 0 to 1; `weights["mmr"]` of a query takes its place.
    """

    name = "diversity"
    reads = frozenset({"item", "score"})
    writes = frozenset[str]()
    required = False

    def __init__(
        self, caps: Sequence[tuple[CategoryColumn, int]], vectors: NDArray[np.float32] | None, mmr: float
    ) -> None:
        self._caps, self._vectors, self._mmr = tuple(caps), vectors, mmr

    def select(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.intp]:  # noqa: ARG002
        """All positions: those chosen for this list, then the rest in the order they came."""
        number = len(candidates)
        if not query.diverse:
            return np.arange(number)
        caps = [
            Cap(column.codes[candidates.item], most, column.codes[query.shown] if len(query.shown) else None)
            for column, most in self._caps
        ]
        mmr = query.weights.get("mmr", self._mmr)
        if mmr and self._vectors is not None and number > 1:
            chosen = self._unlike(query, candidates, caps, mmr)
        else:
            chosen = within_caps(caps, number, query.n)
            if len(chosen) and chosen[-1] == len(chosen) - 1:
                return np.arange(number)
        rest = np.ones(number, np.bool_)
        rest[chosen] = False
        return np.concatenate([chosen, np.flatnonzero(rest)])

    def _unlike(self, query: Query, candidates: Candidates, caps: list[Cap], mmr: float) -> NDArray[np.intp]:
        merit = merit_of(candidates, query.n)
        places = min(query.n, _MOST_PLACES)
        within = within_caps(caps, len(candidates), _WINDOW * places) if caps else None
        head = np.arange(min(len(candidates), _WINDOW * places))
        if within is not None and len(within) >= places:
            head = np.union1d(head, within)  # so that the caps can hold
        vectors = self._unit(candidates.item[head])
        shown = self._unit(query.shown[-_MOST_PLACES:]) if len(query.shown) else None
        caps = [Cap(cap.codes[head], cap.most, cap.used) for cap in caps]
        return head[capped_mmr(merit[head], vectors, places, mmr, caps, shown)]

    def _unit(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        assert self._vectors is not None
        vectors = self._vectors[rows]
        unit: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY)
        return unit
