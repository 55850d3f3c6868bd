"""What a person takes again and again."""

from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import Field

from savor.core.config import Section
from savor.data.events import Events
from savor.models.baselines.seen import top_of_sparse
from savor.models.interactions import interactions
from savor.models.ranked import Ranked


class OwnFrequencyParams(Section):
    """How a user's own events are weighed."""

    half_life_days: float | None = Field(
        28.0, gt=0, description="An event this old weighs half; absent: age is ignored."
    )
    count: Literal["events", "baskets"] = Field(
        "events", description="Count every event, or an item once in each basket (events without basket all count)."
    )


class OwnFrequency:
    """Each user's own items, by the sum of 2^(-age / half life) over their events: the "buy again" list.

    It has nothing to offer when seen items are excluded.

    Args:
        params: half life and what is counted.
    """

    name = "own_frequency"

    def __init__(self, params: OwnFrequencyParams | None = None) -> None:
        self.params = params or OwnFrequencyParams()

    @staticmethod
    def grid(mode: Literal["quick", "full"]) -> list[OwnFrequencyParams]:
        """The half lives worth trying."""
        if mode == "quick":
            return [OwnFrequencyParams(half_life_days=days) for days in (28, 56, 91, 182)]
        counts: tuple[Literal["events", "baskets"], ...] = ("events", "baskets")
        return [
            OwnFrequencyParams(half_life_days=days, count=count)
            for days in (7, 14, 28, 42, 56, 91, 182, None)
            for count in counts
        ]

    def fit(self, events: Events, number_of_users: int, number_of_items: int, now: int) -> None:
        """See `Recommender.fit`."""
        if self.params.count == "baskets":
            events = events.select(_once_per_basket(events))
        self._weights: sp.csr_matrix = interactions(
            events,
            number_of_users,
            number_of_items,
            weighting="count",
            half_life_days=self.params.half_life_days,
            now=now,
        )

    def recommend(self, users: NDArray[np.int32], k: int, *, exclude_seen: bool) -> Ranked:
        """See `Recommender.recommend`."""
        if exclude_seen:
            return Ranked.empty(len(users), k)
        return Ranked(*top_of_sparse(self._weights[users], k))


def _once_per_basket(events: Events) -> NDArray[np.bool_]:
    """(N,) bool: the first event of each (user, basket, item), and every event without a basket."""
    keep = events.basket < 0
    inside = np.flatnonzero(~keep)
    order = inside[np.lexsort((events.item[inside], events.basket[inside], events.user[inside]))]
    columns = np.stack([events.user[order].astype(np.int64), events.basket[order], events.item[order].astype(np.int64)])
    new = np.ones(len(order), bool)
    new[1:] = np.any(columns[:, 1:] != columns[:, :-1], axis=0)
    keep[order[new]] = True
    return keep
