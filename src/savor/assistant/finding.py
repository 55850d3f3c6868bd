"""Items that satisfy what a conversation wants, in the order in which this person may like them."""

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from savor.assistant.conversation_options import ConversationOptions
from savor.assistant.found import Found, Note
from savor.assistant.likeness import most_alike
from savor.assistant.meanings import Meanings
from savor.assistant.pack_size import relative_sizes
from savor.assistant.scope import Group, Scope
from savor.assistant.state import Conversation
from savor.assistant.understanding.knowledge import Knowledge, Mask
from savor.assistant.wish import listed
from savor.pipeline.build import Serving
from savor.pipeline.item_filter import ItemFilter
from savor.pipeline.merit import spans_of
from savor.pipeline.query import Query
from savor.pipeline.result import Reason, Result

_POOL = 60
_MOST_GROUPS = 6
_SIZE_WEIGHT = 0.3
_LIKENESS = 0.75
_MANY = 3
_OF_THE_POOL = frozenset(
    {"catalogue_exhausted", "filled_from_popularity", "filled_from_usual", "no_eligible_items", "context_absent"}
)
"""What pipelines say of a list that is longer than anybody sees."""

_SAYS_NOTHING = frozenset({"asked_for", "filler", "popular"})
_NONE = np.empty(0, np.int32)


class Finder:
    """Looks for what a conversation wants; made for one turn.

    What must hold (diets, what is ruled out, price, kind of thing) is one mask over the catalogue, so that nothing
    else can come into a list. Among what satisfies it, the person's own pipeline and the search bring candidates, and
    the ranker sorts them.

    Args:
        serving: what answers.
        knowledge: of its catalogue.
        meanings: nearness in meaning.
        options: how a conversation goes.
        patient: whether to wait for whatever it takes.
    """

    def __init__(
        self,
        serving: Serving,
        knowledge: Knowledge,
        meanings: Meanings,
        options: ConversationOptions,
        *,
        patient: bool = False,
    ) -> None:
        self._serving, self._knowledge, self._meanings = serving, knowledge, meanings
        self._catalogue, self._relevance, self._deadline = serving.catalogue, options.relevance, options.deadline_ms
        self._scope, self._patient = Scope(serving.catalogue, knowledge, meanings), patient

    def find(self, want: Conversation, user_id: str, n: int) -> Found:
        """Up to `n` items; what of the wish cannot be had is in the notes, and nothing is shown in its place."""
        rows = self._rows([*want.rejected])
        allowed = self._scope.allowed(want)
        like = self._like(want)
        groups = self._scope.groups(want, allowed)
        usable = [group._replace(items=group.items & allowed) for group in groups]
        usable = [group for group in usable if group.items.any()]
        if not usable:
            self._scope.say_why(want, groups)
            return Found(notes=tuple(self._scope.notes))
        if left := [group.label for group in usable[min(_MOST_GROUPS, max(n, 1)) :]]:
            usable = usable[: -len(left)]
            self._scope.notes.append(Note("left", listed(left, "and")))
        parts = [self._ranked(want, user_id, group, n, rows, like) for group in usable]
        found = self._together(parts, [group.label for group in usable], n, varied=not want.things)
        if not len(found.rows):
            self._scope.notes.append(Note("no_more", _label(want)))
        elif len(found.rows) < min(n, _MANY):
            self._scope.notes.append(Note("fewer", _label(want), str(len(found.rows))))
        if want.total and want.price_max is not None:
            self._scope.notes.append(Note("total", f"{round(want.price_max, 2):.2f}"))
        return replace(found, notes=tuple(dict.fromkeys(self._scope.notes)))

    def items_called(self, phrase: str, user_id: str, n: int) -> list[str]:
        """Ids of `n` items that a phrase means, those first that this person would most likely have."""
        meaning = self._meanings.of(phrase, self._knowledge)
        if meaning.kind == "unknown" or not (meaning.items & self._catalogue.in_stock).any():
            return []
        result = self._run("home", user_id, meaning.items, n, None, _NONE)
        return [self._catalogue.ids[row] for row in result.items.tolist()]

    def _ranked(
        self,
        want: Conversation,
        user_id: str,
        group: Group,
        n: int,
        rejected: NDArray[np.int32],
        like: int | None,
    ) -> tuple[Result, NDArray[np.float64]]:
        """What the pipelines bring of a group, scored by the ranker, and the merit of each."""
        scenario = {"again": "buy_again"}.get(want.occasion or "", "home")
        pool, new = max(_POOL, 4 * n), want.occasion == "new"
        if like is not None:
            rows, closeness = most_alike(self._serving, like, group.items, rejected, pool)
            query = self._query("item_page", user_id, group.items, len(rows), rejected, new=new)
            result = self._serving.pipelines["item_page"].rank(
                replace(query, context={"item_id": self._catalogue.ids[like]}), rows
            )
            result = replace(result, reasons=[self._alike(reason, like) for reason in result.reasons])
            match = _spread(closeness[np.searchsorted(rows, result.items)])
            relevance = _LIKENESS
        elif want.beside and "basket" in self._serving.pipelines:
            query = self._query("basket", user_id, group.items, pool, rejected, new=new)
            result = self._serving.pipelines["basket"].run(replace(query, context={"basket": [*want.beside]}))
            return result, -np.arange(len(result.items), dtype=np.float64)
        elif group.query is None:
            if want.things and not want.size and want.people is None and want.level >= -1:
                result = self._run(scenario, user_id, group.items, n, None, rejected, new=new)
                return result, -np.arange(len(result.items), dtype=np.float64)
            result = self._run(scenario, user_id, group.items, pool, None, rejected, new=new)
            match, relevance = np.zeros(len(result.items)), 0.0
        else:
            brought = [
                self._run(name, user_id, group.items, pool, text, rejected, new=new).items
                for name, text in ((scenario, None), ("search", group.query))
            ]
            rows = np.unique(np.concatenate(brought)).astype(np.int32)
            query = self._query("search", user_id, group.items, len(rows), rejected, new=new)
            result = self._serving.pipelines["search"].rank(replace(query, context={"query": group.query}), rows)
            match, relevance = _matches(result), self._relevance
        rows = result.items
        merit = spans_of(result.candidates, n) if len(rows) else np.empty(0)
        merit = (1 - relevance) * merit + relevance * match
        if want.level < -1 and len(rows):
            merit = merit / 100 - np.nan_to_num(self._scope.price[result.items], nan=1e6)
        size = want.size or (1 if (want.people or 0) >= _MANY else -1 if want.people == 1 else 0)
        if size and len(rows):
            before = np.argsort(-merit, kind="stable")[:n]
            merit += size * _SIZE_WEIGHT * relative_sizes([self._catalogue.names[row] for row in result.items.tolist()])
            if not np.array_equal(before, np.argsort(-merit, kind="stable")[:n]):
                self._scope.notes.append(Note("sizes", "larger" if size > 0 else "smaller"))
        return result, merit

    def _alike(self, reason: Reason, like: int) -> Reason:
        """A reason that says something, or that of likeness."""
        return Reason("similar_item", f"like {self._catalogue.names[like]}") if reason.code in _SAYS_NOTHING else reason

    def these(self, user_id: str, rows: Sequence[int]) -> Found:
        """Some items in their order, each with the reason that this person has for it."""
        results = []
        for row in rows:
            only = np.asarray([row], np.int32)
            query = self._query("home", user_id, _as_mask(only, len(self._catalogue)), 1, _NONE, new=False)
            results.append(self._serving.pipeline.rank(query, only))
        shown = np.concatenate([result.items for result in results]).astype(np.int32)
        return Found(
            rows=shown,
            scores=np.concatenate([result.scores for result in results]),
            reasons=tuple(reason for result in results for reason in result.reasons),
            groups=("",) * len(shown),
            candidates=np.unique(shown),
        )

    def told(self, phrases: Sequence[str], rows: NDArray[np.int32]) -> list[tuple[str, ...]]:
        """For each item, which phrases its name or category speaks of, of a diet what is against it."""
        found: list[tuple[str, ...]] = [() for _ in rows]
        for phrase in phrases:
            meaning = self._knowledge.ruled_out(phrase)
            concept = self._knowledge.lexicon.concepts.get(meaning.concept or "")
            if meaning.kind == "unknown":
                continue
            diet = concept is not None and concept.kind == "diet"
            named = f"what is not {phrase}" if diet else phrase
            for place, row in enumerate(rows.tolist()):
                found[place] += (named,) if meaning.items[row] != diet else ()
        return found

    def _together(
        self, parts: list[tuple[Result, NDArray[np.float64]]], labels: list[str], n: int, *, varied: bool
    ) -> Found:
        """The best of each group in turn; `varied`, no kind of item too often where there are several kinds."""
        orders = [
            self._varied(result, merit, n) if varied else np.lexsort((result.items, -merit)).tolist()
            for result, merit in parts
        ]
        chosen: list[tuple[int, int]] = []
        taken: set[int] = set()
        depth = 0
        while len(chosen) < n and any(depth < len(order) for order in orders):
            for group, order in enumerate(orders):
                if depth < len(order) and len(chosen) < n:
                    row = int(parts[group][0].items[order[depth]])
                    if row not in taken:
                        taken.add(row)
                        chosen.append((group, order[depth]))
            depth += 1
        chosen.sort(key=lambda one: one[0])
        return Found(
            rows=np.asarray([parts[group][0].items[place] for group, place in chosen], np.int32),
            scores=np.asarray([parts[group][0].scores[place] for group, place in chosen], np.float32),
            reasons=tuple(parts[group][0].reasons[place] for group, place in chosen),
            groups=tuple(labels[group] for group, _ in chosen),
            candidates=np.unique(np.concatenate([result.items for result, _ in parts])).astype(np.int32),
            fallbacks=tuple(
                dict.fromkeys(one for result, _ in parts for one in result.fallbacks if one.code not in _OF_THE_POOL)
            ),
        )

    def _varied(self, result: Result, merit: NDArray[np.float64], n: int) -> list[int]:
        """Places by falling merit; of one kind at most half of the list, before all that are left."""
        order: list[int] = np.lexsort((result.items, -merit)).tolist()
        columns = list(self._catalogue.categories.values())
        if not columns:
            return order
        kinds, most = columns[-1].codes[result.items].tolist(), max((n + 1) // 2, 1)
        counts: dict[int, int] = {}
        head: list[int] = []
        rest: list[int] = []
        for place in order:
            counts[kinds[place]] = counts.get(kinds[place], 0) + 1
            (head if counts[kinds[place]] <= most else rest).append(place)
        return head + rest

    def _like(self, want: Conversation) -> int | None:
        row = self._catalogue.index.get(want.like) if want.like else None
        if row is not None:
            self._scope.notes.append(Note("like", self._catalogue.names[row], want.like))
        return row

    def _run(
        self,
        scenario: str,
        user_id: str,
        items: Mask,
        n: int,
        text: str | None,
        rejected: NDArray[np.int32],
        *,
        new: bool = False,
    ) -> Result:
        query = self._query(scenario, user_id, items, n, rejected, new=new)
        return self._serving.pipelines[scenario].run(replace(query, context={} if text is None else {"query": text}))

    def _query(
        self, scenario: str, user_id: str, items: Mask, n: int, rejected: NDArray[np.int32], *, new: bool
    ) -> Query:
        return Query(
            user_id,
            self._serving.clock(),
            n=n,
            scenario=scenario,
            exclude=rejected,
            exclude_seen=new,
            filter=_within(items),
            diverse=False,
            unseen=True,
            deadline=None if self._patient else perf_counter_ns() + int(self._deadline * 1e6),
        )

    def _rows(self, ids: Sequence[str]) -> NDArray[np.int32]:
        index = self._catalogue.index
        return np.asarray(sorted({index[one] for one in ids if one in index}), np.int32)


def _matches(result: Result) -> NDArray[np.float64]:
    """(N,) 0 to 1: how well candidates fit what was searched for, by its words or its meaning."""
    match = np.zeros(len(result.items))
    for column in ("search_words_score", "search_meaning_score"):
        if column in result.candidates.columns:
            np.maximum(match, np.nan_to_num(result.candidates.columns[column].astype(np.float64)), out=match)
    return np.minimum(match, 1)


def _spread(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,) the same between 0 and 1."""
    lowest, highest = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    return (values.astype(np.float64) - lowest) / max(highest - lowest, 1e-9)


def _within(items: Mask) -> ItemFilter:
    return ItemFilter((lambda rows: items[rows],))


def _as_mask(rows: NDArray[np.int32], number: int) -> Mask:
    made = np.zeros(number, np.bool_)
    made[rows] = True
    return made


def _label(want: Conversation) -> str:
    """What is wanted, in its own words."""
    return " or ".join(want.things) or " ".join((*want.diets, *want.qualities)) or ""
