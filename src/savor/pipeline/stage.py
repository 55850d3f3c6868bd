"""What the stages of a pipeline do; one method each."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from savor.features.catalogue import Catalogue
from savor.pipeline.candidates import Candidates, Retrieved
from savor.pipeline.query import Query
from savor.pipeline.result import Reason

Hydrated = Mapping[str, Any]
"""What hydrators found out about a query, by column name."""


class Stage(Protocol):
    """One step. The runner owns timing, tracing, deadlines and contract checks.

    Attributes:
        name: unique in its pipeline.
        reads: columns it needs: of hydrators, or of the candidates.
        writes: columns it adds.
        required: when it fails, so does the request; an optional stage is left out, and the result says so.
    """

    @property
    def name(self) -> str:
        """Unique in its pipeline."""

    @property
    def reads(self) -> frozenset[str]:
        """Columns it needs."""

    @property
    def writes(self) -> frozenset[str]:
        """Columns it adds."""

    @property
    def required(self) -> bool:
        """Whether nothing may be shown without it."""


class Hydrator(Stage, Protocol):
    """Finds out something about the query."""

    def hydrate(self, query: Query, hydrated: Hydrated) -> dict[str, Any]:
        """A value for each column in `writes`."""


class Source(Stage, Protocol):
    """Brings candidates. The runner adds `<name>_score` and `<name>_rank`."""

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Distinct items, best first; honours `hydrated["eligible"]` where it reads that column."""


class Filter(Stage, Protocol):
    """Says which candidates may be shown."""

    def keep(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.bool_]:
        """(N,) bool."""


class Enricher(Stage, Protocol):
    """Says something about every candidate, whichever source brought it."""

    def enrich(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.float32]:
        """(N,) float32 for the one column in `writes`; NaN where it has no value."""


class Ranker(Stage, Protocol):
    """Scores candidates."""

    def rank(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.float32]:
        """(N,) float32, larger is better, without NaN."""


class Adjuster(Stage, Protocol):
    """Changes what decides the order, for reasons beside what the ranker says; the scores shown stay the ranker's."""

    def adjust(
        self, query: Query, hydrated: Hydrated, candidates: Candidates, merit: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(N,) float64 merit, larger is better, in spans of the scores (see `in_spans`), from what it was so far."""


AdjusterOver = Callable[[Catalogue, float], Adjuster]
"""Makes an adjuster of a kind that this layer does not know, over a catalogue, with its weight from 0 to 1."""


class Selector(Stage, Protocol):
    """Orders candidates, which come by falling merit, or leaves some out; the list is shown in this order."""

    def select(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.intp]:
        """Distinct positions among the candidates, in the new order."""


class Reasoner(Stage, Protocol):
    """Says why each chosen item is there."""

    def explain(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> list[Reason]:
        """One reason for each candidate."""


class Effect(Stage, Protocol):
    """Takes note of a list that is shown."""

    def note(self, query: Query, hydrated: Hydrated, chosen: Candidates) -> None:
        """Called once for each list that is shown, with its items in their order."""
