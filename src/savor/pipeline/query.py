"""What is asked of a pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.online.experiments.options import ExplorationOptions
from savor.pipeline.item_filter import ItemFilter

KNOWN_WEIGHTS = frozenset({"mmr", "popularity", "relevance", "ctr", "rating"})
"""Names that `weights` of a query may have; each counts where the pipeline has what it is of."""

_NOBODY = np.empty(0, np.int32)


@dataclass(frozen=True)
class Query:
    """One request.

    Attributes:
        user_id: as it stands in the data; may be unknown.
        now: UTC seconds that the answer is for.
        n: how many items are wanted.
        scenario: name of the place the list is shown at.
        exclude_seen: leave out every item in the user's history.
        exclude: (E,) int32 item rows to leave out.
        filter: what items must be like; None accepts all.
        shown: (S,) int32 item rows that earlier pages of this list hold; they are not shown again.
        diverse: apply the diversity rules of the pipeline.
        context: what else the caller knows of the moment.
        variant: name of the experiment variant.
        seed: decides what is random.
        recommendation_id: of the list; with `exploration` it decides what is drawn.
        exploration: how the order is partly drawn by chance; None draws nothing.
        weights: numbers of the pipeline that this query sets, by name: `mmr`, `popularity`, `relevance`, or a head of
            the ranker.
        unseen: nobody is shown the list, so nothing takes note of it.
        deadline: `time.perf_counter_ns()` after which optional stages are left out; None waits for all.
    """

    user_id: str
    now: int
    n: int = 10
    scenario: str = "home"
    exclude_seen: bool = False
    exclude: NDArray[np.int32] = field(default_factory=lambda: _NOBODY)
    filter: ItemFilter | None = None
    shown: NDArray[np.int32] = field(default_factory=lambda: _NOBODY)
    diverse: bool = True
    context: Mapping[str, Any] = field(default_factory=dict)
    variant: str = "control"
    seed: int = 0
    recommendation_id: str = ""
    exploration: ExplorationOptions | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    unseen: bool = False
    deadline: int | None = None

    @property
    def depth(self) -> int:
        """How many items a source must be able to bring: those wanted and those shown before."""
        return self.n + len(self.shown)
