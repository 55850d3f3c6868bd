"""Reasoner: why an item is in the list, from the user's own events and from what brought it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.features.catalogue import Catalogue
from savor.models.neighbours import Neighbours
from savor.pipeline.candidates import Candidates
from savor.pipeline.fairness.declared_groups import DeclaredGroups
from savor.pipeline.query import Query
from savor.pipeline.result import Reason
from savor.pipeline.search_query import search_query
from savor.pipeline.stage import Hydrated
from savor.pipeline.stages.own_items import OwnItems

_NONE = np.empty(0, np.int32)
_LEAST_FOR_RHYTHM = 3
_OF_MOMENT = ("together", "similar", "search_words", "search_meaning")
_SOURCES = ("co_purchase", "ann", "trending", "zero_shot", "groups", "popular")
_TASTE = Reason("similar_taste", "like what you choose")
_PROFILE = Reason("profile", "chosen by people with a profile like yours")
_NOBODY = Reason("newcomer", "chosen by people we know little of")
_WORDS = Reason("search_words", "has words you search for")
_MEANING = Reason("search_meaning", "close in meaning to what you search for")
_UNSEEN = Reason("zero_shot", "new here, and called like what you have")
_POPULAR = Reason("popular", "popular with everybody")
_FILLER = Reason("filler", "to fill the list")
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

    First what the moment asks for, where that brought the item: the item of basket or page that it goes with most or
    is like, or the search. Then the user's own rhythm (three or more times) or count; else what the best of the sources
    that brought the item found: the own item with the largest co-purchase contribution, recent popularity, a declared
    group, or nearness to the user's taste.

    Args:
        catalogue: gives names.
        neighbours: the table of the co-purchase source.
        own: how many own items that source starts from.
        power: of their weights in that source.
        window_days: window of the trending source.
        wording: words for what users do.
        groups: declared ones; None for none.
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
        groups: DeclaredGroups | None = None,
    ) -> None:
        self._names, self._neighbours, self._own, self._wording = catalogue.names, neighbours, own, wording
        self._power, self._groups = np.float32(power), groups
        self._period = "this month" if 28 <= window_days <= 31 else f"in the last {window_days:g} days"

    def explain(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> list[Reason]:
        """One for each candidate."""
        own: OwnItems = hydrated["own_items"]
        has_history = len(hydrated["history"]) > 0
        stranger = _PROFILE if hydrated["known_user"] else _NOBODY
        best = self._best_sources(candidates, _SOURCES)
        context: NDArray[np.int32] = hydrated.get("context_items", _NONE)
        asks = len(context) > 0 or search_query(query) is not None
        of_moment = self._best_sources(candidates, _OF_MOMENT) if asks else [""] * len(candidates)
        partners: list[int] | None = None
        reasons = []
        days, gaps, ago = (column.tolist() for column in own.rhythms(candidates.item, query.now))
        popular = candidates.columns.get("popular_score", candidates.score)
        for place, (source, moment, item) in enumerate(zip(best, of_moment, candidates.item.tolist(), strict=True)):
            if moment:
                reasons.append(self._of_moment(moment, item, context))
                continue
            if days[place]:
                reasons.append(self._of_own(days[place], gaps[place], ago[place]))
            elif source == "co_purchase":
                partners = self._partners(candidates.item, own) if partners is None else partners
                reasons.append(Reason("bought_together", f"{self._wording.together} {self._names[partners[place]]}"))
            elif source == "trending":
                reasons.append(Reason("trending", f"popular {self._period}"))
            elif source == "zero_shot":
                reasons.append(_UNSEEN)
            elif source == "groups":
                reasons.append(self._of_group(item, query.now))
            elif source == "ann":
                reasons.append(_TASTE if has_history else stranger)
            else:
                reasons.append(_ASKED_FOR if source != "popular" else _POPULAR if popular[place] > 0 else _FILLER)
        return reasons

    @staticmethod
    def _best_sources(candidates: Candidates, sources: Sequence[str]) -> list[str]:
        """The one of `sources` that ranks each candidate highest; "" where none brought it."""
        found, least = [""] * len(candidates), [np.inf] * len(candidates)
        for name in sources:
            if f"{name}_rank" not in candidates.columns:
                continue
            for place, rank in enumerate(candidates.columns[f"{name}_rank"].tolist()):
                if rank < least[place]:
                    found[place], least[place] = name, rank
        return found

    def _of_moment(self, source: str, item: int, context: NDArray[np.int32]) -> Reason:
        """Why an item that a source of the moment brought goes with `context`."""
        if source == "search_words":
            return _WORDS
        if source == "search_meaning":
            return _MEANING
        if source == "similar":
            alike = f"like {self._names[int(context[0])]}" if len(context) == 1 else "like what is in your basket"
            return Reason("similar_item", alike)
        weight = np.where(self._neighbours.item[context] == item, self._neighbours.weight[context], 0).max(axis=1)
        partner = self._names[int(context[int(np.argmax(weight))])]
        return Reason("bought_together", f"{self._wording.together} {partner}")

    def _of_group(self, item: int, now: int) -> Reason:
        """Which declared group an item is shown for."""
        if self._groups is None:
            return _POPULAR
        members = self._groups.members(now)[:, item]
        name = self._groups.names[int(np.argmax(members * (self._groups.shares + self._groups.list_shares)))]
        return Reason("declared_group", f"one of: {name.replace('_', ' ')}")

    def _of_own(self, days: int, gap: float, ago: int) -> Reason:
        if days >= _LEAST_FOR_RHYTHM:
            between = max(round(gap), 1)
            every = "every day" if between == 1 else f"every {between} days"
            return Reason("repeat_rhythm", f"you {self._wording.present} this about {every}")
        count = "once" if days == 1 else "twice"
        return Reason("bought_before", f"you {self._wording.past} this {count}, last {_ago(ago)}")

    def _partners(self, items: NDArray[np.int32], own: OwnItems) -> list[int]:
        """For each item the own one with the largest part in its co-purchase score."""
        from savor.models.neighbours_kernel import largest_part

        strongest, table = own.strongest(self._own), self._neighbours
        factors = own.weight[strongest] ** self._power
        rows = np.ascontiguousarray(own.item[strongest], np.int32)
        item, weight = np.ascontiguousarray(table.item), np.ascontiguousarray(table.weight)
        found: list[int] = largest_part(item, weight, rows, factors, np.ascontiguousarray(items, np.int32)).tolist()
        return found


def _ago(days: int) -> str:
    if days <= 0:
        return "today"
    return "yesterday" if days == 1 else f"{days} days ago"
