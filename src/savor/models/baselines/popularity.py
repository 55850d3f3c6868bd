"""What everybody takes."""

from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import Field

from savor.core.config import Section
from savor.data.events import Events
from savor.models.baselines.seen import mask_seen
from savor.models.interactions import SECONDS_PER_DAY, interactions
from savor.models.ranked import Ranked

_BLOCK = 512


class PopularityParams(Section):
    """How popularity is counted."""

    days: float | None = Field(None, gt=0, description="Only events of the last so many days count; absent: all.")
    count: Literal["events", "users"] = Field("events", description="Count events, or distinct users.")


class Popularity:
    """One list for all: the items with the most events, or the most users, in a window that ends now.

    Args:
        params: window and what is counted.
    """

    def __init__(self, params: PopularityParams | None = None) -> None:
        self.params = params or PopularityParams()
        self.name = "popularity" if self.params.days is None else "recent_popularity"

    @staticmethod
    def grid(mode: Literal["quick", "full"]) -> list[PopularityParams]:
        """The windows worth trying."""
        windows = (7, 14, 28, 56) if mode == "quick" else (3, 7, 14, 21, 28, 42, 56, 91, 182)
        counts: tuple[Literal["events", "users"], ...] = ("events",) if mode == "quick" else ("events", "users")
        return [PopularityParams(days=days, count=count) for days in windows for count in counts]

    def fit(self, events: Events, number_of_users: int, number_of_items: int, now: int) -> None:
        """See `Recommender.fit`."""
        self._seen = interactions(events, number_of_users, number_of_items)
        if self.params.days is not None:
            events = events.select(events.time >= now - self.params.days * SECONDS_PER_DAY)
        if self.params.count == "users":
            pairs = np.unique(events.user.astype(np.int64) * number_of_items + events.item)
            counts = np.bincount(pairs % number_of_items, minlength=number_of_items)
        else:
            counts = np.bincount(events.item, minlength=number_of_items)
        order = np.argsort(-counts, kind="stable")
        self._items = order[: np.count_nonzero(counts)].astype(np.int32)
        self._scores = counts[self._items].astype(np.float32)

    def recommend(self, users: NDArray[np.int32], k: int, *, exclude_seen: bool) -> Ranked:
        """See `Recommender.recommend`."""
        if not exclude_seen:
            ranked = Ranked.empty(len(users), k)
            shown = min(k, len(self._items))
            ranked.items[:, :shown] = self._items[:shown]
            ranked.scores[:, :shown] = self._scores[:shown]
            return ranked
        parts = [self._unseen(users[start : start + _BLOCK], k) for start in range(0, len(users), _BLOCK)]
        return Ranked.concatenate(parts, k)

    def _unseen(self, users: NDArray[np.int32], k: int) -> Ranked:
        seen: sp.csr_matrix = self._seen[users]
        longest = int(np.diff(seen.indptr).max(initial=0))
        columns = np.sort(self._items[: k + longest])
        by_item = np.zeros(self._seen.shape[1], np.float32)
        by_item[self._items] = self._scores
        scores = np.tile(by_item[columns], (len(users), 1))
        mask_seen(scores, seen[:, columns])
        return Ranked.from_scores(scores, k, columns)
