"""Reasoner: why an item is in the list, from the user's own events and from what brought it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.features.catalogue import Catalogue
from savor.models.neighbours import Neighbours
from savor.pipeline.candidates import Candidates
from savor.pipeline.query import Query
from savor.pipeline.result import Reason
from savor.pipeline.stage import Hydrated
from savor.pipeline.stages.own_items import DAY, OwnItems

_LEAST_FOR_RHYTHM = 3
_SOURCES = ("co_purchase", "ann", "trending", "popular")
_TASTE = Reason("similar_taste", "like what you choose")
_PROFILE = Reason("profile", "chosen by people with a profile like yours")
_NOBODY = Reason("newcomer", "chosen by people we know little of")
_POPULAR = Reason("popular", "popular with everybody")
_ASKED_FOR = Reason("asked_for", "you asked for it")


@dataclass(frozen=True)
class Wording:
    """How to say what users do: "you buy this", "you bought this", "often bought with"."""

    present: str
    past: str
    together: str

    @classmethod
    def of(cls, kind: str) -> "Wording":
        """The words for a kind of event."""
        return _WORDING.get(kind, Wording("choose", "chose", "often chosen with"))


_WORDING = {
    "purchase": Wording("buy", "bought", "often bought with"),
    "order": Wording("order", "ordered", "often ordered with"),
    "rating": Wording("rate", "rated", "often liked together with"),
    "view": Wording("look at", "looked at", "often viewed with"),
    "click": Wording("click", "clicked", "often clicked with"),
    "save": Wording("save", "saved", "often saved with"),
}


class Reasons:
    """The strongest true reason for each item.

    First the user's own rhythm (three or more times) or count; else what the best of the sources that brought the item
    found: the own item with the largest co-purchase contribution, recent popularity, or nearness to the user's taste.

    Args:
        catalogue: gives names.
        neighbours: the table of the co-purchase source.
        own: how many own items that source starts from.
        power: of their weights in that source.
        window_days: window of the trending source.
        wording: words for what users do.
    """

    name = "reasons"
    reads = frozenset({"history", "own_items", "known_user", "item"})
    writes = frozenset({"reason"})
    required = False

    def __init__(
        self,
        catalogue: Catalogue,
        neighbours: Neighbours,
        own: int,
        power: float,
        window_days: float,
        wording: Wording,
    ) -> None:
        self._names, self._neighbours, self._own, self._wording = catalogue.names, neighbours, own, wording
        self._power = np.float32(power)
        self._period = "this month" if 28 <= window_days <= 31 else f"in the last {window_days:g} days"

    def explain(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> list[Reason]:
        """One for each candidate."""
        own: OwnItems = hydrated["own_items"]
        has_history = len(hydrated["history"]) > 0
        stranger = _PROFILE if hydrated["known_user"] else _NOBODY
        best = self._best_sources(candidates)
        strongest: NDArray[np.intp] | None = None
        reasons = []
        for source, item in zip(best, candidates.item.tolist(), strict=True):
            times = own.times(item)
            if len(times):
                reasons.append(self._of_own(times, query.now))
            elif source == "co_purchase":
                strongest = own.strongest(self._own) if strongest is None else strongest
                partner = self._names[self._partner(item, own, strongest)]
                reasons.append(Reason("bought_together", f"{self._wording.together} {partner}"))
            elif source == "trending":
                reasons.append(Reason("trending", f"popular {self._period}"))
            elif source == "ann":
                reasons.append(_TASTE if has_history else stranger)
            else:
                reasons.append(_POPULAR if source == "popular" else _ASKED_FOR)
        return reasons

    @staticmethod
    def _best_sources(candidates: Candidates) -> list[str]:
        """The source that ranks each candidate highest; "" where none brought it."""
        names = [name for name in _SOURCES if f"{name}_rank" in candidates.columns]
        if not names or not len(candidates):
            return [""] * len(candidates)
        ranks = np.stack([candidates.columns[f"{name}_rank"] for name in names])
        ranks = np.where(np.isnan(ranks), np.inf, ranks)
        best = [names[position] for position in ranks.argmin(axis=0).tolist()]
        return [name if found else "" for name, found in zip(best, np.isfinite(ranks.min(axis=0)), strict=True)]

    def _of_own(self, times: NDArray[np.int64], now: int) -> Reason:
        day = times // DAY
        days = day[np.concatenate([[True], day[1:] != day[:-1]])]
        if len(days) >= _LEAST_FOR_RHYTHM:
            gap = max(round(float(np.median(np.diff(days)))), 1)
            every = "every day" if gap == 1 else f"every {gap} days"
            return Reason("repeat_rhythm", f"you {self._wording.present} this about {every}")
        count = "once" if len(days) == 1 else "twice"
        return Reason(
            "bought_before", f"you {self._wording.past} this {count}, last {_ago(int(now // DAY - days[-1]))}"
        )

    def _partner(self, item: int, own: OwnItems, strongest: NDArray[np.intp]) -> int:
        """The own item with the largest part in the co-purchase score of `item`."""
        rows = own.item[strongest]
        part = np.where(self._neighbours.item[rows] == item, self._neighbours.weight[rows], 0).max(axis=1)
        return int(rows[np.argmax(part * own.weight[strongest] ** self._power)])


def _ago(days: int) -> str:
    if days <= 0:
        return "today"
    return "yesterday" if days == 1 else f"{days} days ago"
