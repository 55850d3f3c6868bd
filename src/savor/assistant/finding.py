"""Items that satisfy what a conversation wants, in the order in which this person may like them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter_ns
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.assistant.conversation_options import ConversationOptions
from savor.assistant.known_prices import known_prices
from savor.assistant.meanings import Meanings
from savor.assistant.pack_size import relative_sizes
from savor.assistant.state import Conversation
from savor.assistant.understanding.knowledge import Knowledge, Mask
from savor.assistant.wish import PURPOSE, listed, wish
from savor.pipeline.build import Serving
from savor.pipeline.item_filter import ItemFilter
from savor.pipeline.merit import spans_of
from savor.pipeline.query import Query
from savor.pipeline.result import Fallback, Reason, Result

_POOL = 60
_MOST_GROUPS = 6
_CHEAP, _CHEAPEST, _DEAR = 0.3, 0.1, 0.7
_SIZE_WEIGHT = 0.3
_LIKENESS = 0.75
_MANY = 3
_WIDE = 5
_OF_THE_POOL = frozenset(
    {"catalogue_exhausted", "filled_from_popularity", "filled_from_usual", "no_eligible_items", "context_absent"}
)
"""What pipelines say of a list that is longer than anybody sees."""

_SAYS_NOTHING = frozenset({"asked_for", "filler", "popular"})
_NONE = np.empty(0, np.int32)
NoteKind = Literal[
    "unknown_thing", "part", "near", "unknown_without", "quality_dropped", "partly", "price", "nothing", "no_more",
    "fewer", "sizes", "like", "ruled_out", "diet", "total", "spelled", "left",
]  # fmt: skip


class Note(NamedTuple):
    """Something to be said about what was found: what kind, about what, and a word more."""

    kind: NoteKind
    about: str
    more: str = ""


@dataclass(frozen=True)
class Found:
    """The list of a turn.

    Attributes:
        rows: (n,) int32 item rows, best first.
        scores: (n,) float32 what the ranker says.
        reasons: one for each.
        groups: for each, the thing that it is one of; "" where none was named.
        candidates: (N,) int32 rows of everything that satisfies the wish and was looked at.
        notes: what has to be said.
        fallbacks: in what way the pipeline could do less than usual.
    """

    rows: NDArray[np.int32] = field(default_factory=lambda: _NONE)
    scores: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    reasons: tuple[Reason, ...] = ()
    groups: tuple[str, ...] = ()
    candidates: NDArray[np.int32] = field(default_factory=lambda: _NONE)
    notes: tuple[Note, ...] = ()
    fallbacks: tuple[Fallback, ...] = ()


class _Group(NamedTuple):
    label: str
    items: Mask
    query: str | None


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
        self._price = known_prices(self._catalogue.price)
        self._patient, self._notes = patient, list[Note]()

    def find(self, want: Conversation, user_id: str, n: int) -> Found:
        """Up to `n` items; what of the wish cannot be had is in the notes, and nothing is shown in its place."""
        rows = self._rows([*want.rejected])
        allowed = self._allowed(want)
        like = self._like(want)
        groups = self._groups(want, allowed)
        usable = [group._replace(items=group.items & allowed) for group in groups]
        usable = [group for group in usable if group.items.any()]
        if not usable:
            self._say_why(want, groups)
            return Found(notes=tuple(self._notes))
        if left := [group.label for group in usable[min(_MOST_GROUPS, max(n, 1)) :]]:
            usable = usable[: -len(left)]
            self._notes.append(Note("left", listed(left, "and")))
        parts = [self._ranked(want, user_id, group, n, rows, like) for group in usable]
        found = self._together(parts, [group.label for group in usable], n, varied=not want.things)
        if not len(found.rows):
            self._notes.append(Note("no_more", _label(want)))
        elif len(found.rows) < min(n, _MANY):
            self._notes.append(Note("fewer", _label(want), str(len(found.rows))))
        if want.total and want.price_max is not None:
            self._notes.append(Note("total", f"{round(want.price_max, 2):.2f}"))
        return replace(found, notes=tuple(dict.fromkeys(self._notes)))

    def items_called(self, phrase: str, user_id: str, n: int) -> list[str]:
        """Ids of `n` items that a phrase means, those first that this person would most likely have."""
        meaning = self._meanings.of(phrase, self._knowledge)
        if meaning.kind == "unknown" or not (meaning.items & self._catalogue.in_stock).any():
            return []
        result = self._run("home", user_id, meaning.items, n, None, _NONE)
        return [self._catalogue.ids[row] for row in result.items.tolist()]

    def _allowed(self, want: Conversation) -> Mask:
        """What may be shown: diets, what is ruled out, price."""
        knowledge, price = self._knowledge, self._price
        allowed = self._catalogue.in_stock & ~self._kinds(want.beside)
        for name in want.diets:
            allowed &= knowledge.concept(name)
            if knowledge.lexicon.concepts[name].partly:
                self._notes.append(Note("partly", name))
        for phrase in want.without:
            meaning = knowledge.ruled_out(phrase)
            if meaning.kind == "unknown":
                self._notes.append(Note("unknown_without", phrase))
            elif meaning.concept is not None and knowledge.lexicon.concepts[meaning.concept].partly:
                self._notes.append(Note("partly", phrase))
            allowed &= ~meaning.items
        if want.price_max is not None:
            allowed &= price <= np.float32(want.price_max)
        if want.price_min is not None:
            allowed &= price >= np.float32(want.price_min)
        return allowed

    def _groups(self, want: Conversation, allowed: Mask) -> list[_Group]:
        """One for each thing that is wanted, as its qualities narrow it; or one for everything."""
        everything = np.ones(len(self._catalogue), np.bool_)
        made: list[_Group] = []
        for thing in want.things:
            meaning = self._meanings.of(thing, self._knowledge)
            if meaning.kind == "unknown":
                self._notes.append(Note("unknown_thing", thing))
                continue
            if meaning.kind in ("part", "near"):
                self._notes.append(Note("part" if meaning.kind == "part" else "near", thing, meaning.label))
            items = self._narrowed(meaning.items, want.qualities, allowed, thing)
            query = thing if meaning.kind in ("part", "near") else None
            made.append(_Group(meaning.label, self._leveled(items, want, allowed), query))
        if want.things:
            return made
        if (
            want.people is not None
            and not want.qualities
            and not want.like
            and "food" in self._knowledge.lexicon.concepts
        ):
            food = self._knowledge.concept("food")
            everything = food if food.any() else everything
        items = self._narrowed(everything, want.qualities, allowed, "")
        return [_Group("", self._leveled(items, want, allowed), None)]

    def _narrowed(self, items: Mask, qualities: Sequence[str], allowed: Mask, thing: str) -> Mask:
        """Those of `items` that have all qualities; one that leaves nothing is left out, and that is said."""
        for said in qualities:
            quality = said if said in self._knowledge.lexicon.concepts else said.removeprefix(PURPOSE)
            has = self._meanings.of(quality, self._knowledge).items
            narrowed = items & has
            if not (narrowed & allowed).any() and thing:
                together = self._knowledge.meaning(f"{quality} {thing}")
                narrowed = together.items & has if together.kind in ("value", "words") else narrowed
            if (narrowed & allowed).any():
                items = narrowed
            elif (items & allowed).any():
                self._notes.append(Note("quality_dropped", said, thing))
        return items

    def _leveled(self, items: Mask, want: Conversation, allowed: Mask) -> Mask:
        """The cheaper or dearer part of `items`, by the prices of those that may be shown."""
        if want.level == 0:
            return items
        price = self._price
        known = price[items & allowed & np.isfinite(price)]
        if not len(known):
            return items
        if want.level > 0:
            return items & (price >= np.quantile(known, _DEAR))
        return items & (price <= np.quantile(known, _CHEAPEST if want.level < -1 else _CHEAP))

    def _ranked(
        self,
        want: Conversation,
        user_id: str,
        group: _Group,
        n: int,
        rejected: NDArray[np.int32],
        like: int | None,
    ) -> tuple[Result, NDArray[np.float64]]:
        """What the pipelines bring of a group, scored by the ranker, and the merit of each."""
        scenario = {"again": "buy_again"}.get(want.occasion or "", "home")
        pool, new = max(_POOL, 4 * n), want.occasion == "new"
        if like is not None:
            rows, closeness = self._closest(like, group.items, rejected, pool)
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
            merit = merit / 100 - np.nan_to_num(self._price[result.items], nan=1e6)
        size = want.size or (1 if (want.people or 0) >= _MANY else -1 if want.people == 1 else 0)
        if size and len(rows):
            before = np.argsort(-merit, kind="stable")[:n]
            merit += size * _SIZE_WEIGHT * relative_sizes([self._catalogue.names[row] for row in result.items.tolist()])
            if not np.array_equal(before, np.argsort(-merit, kind="stable")[:n]):
                self._notes.append(Note("sizes", "larger" if size > 0 else "smaller"))
        return result, merit

    def _closest(
        self, like: int, items: Mask, rejected: NDArray[np.int32], n: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Of `items` those most like one: (n,) int32 rising rows and (n,) float32 how like it each is.

        That is the mean of the cosines of the tower's vectors and of the texts, over what is near by either of them.
        """
        eligible = items.copy()
        eligible[[like, *rejected.tolist()]] = False
        tables, wide = self._serving.tables, _WIDE * n
        rows = self._serving.similar.find(like, wide, _within(eligible)).items
        texts = tables.space.text if tables.space is not None else None
        if texts is not None:
            vector = texts.of(np.asarray([like], np.int32))[0]
            every = np.flatnonzero(eligible)
            cosine = (np.asarray(texts.vectors, np.float32) @ vector)[texts.rows(every)]
            rows = np.union1d(rows, every[np.lexsort((every, -cosine))[:wide]])
        rows = np.unique(rows).astype(np.int32)
        parts = [] if texts is None else [_cosines(texts.of(rows), vector)]
        if tables.vectors is not None:
            parts.append(_cosines(np.asarray(tables.vectors[rows]), np.asarray(tables.vectors[like])))
        closeness = np.mean(parts, axis=0).astype(np.float32) if parts else np.zeros(len(rows), np.float32)
        head = np.sort(np.lexsort((rows, -closeness))[:n])
        return rows[head], closeness[head]

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

    def _say_why(self, want: Conversation, groups: list[_Group]) -> None:
        """Why nothing can be shown, and what could be."""
        if want.things and not groups:
            return
        if (want.price_min, want.price_max) != (None, None):
            fitting = self._fitting(replace(want, price_min=None, price_max=None, level=0))
            prices = self._price[fitting & np.isfinite(self._price)]
            if len(prices):
                nearest = prices.min() if want.price_max is not None and prices.min() > want.price_max else prices.max()
                self._notes.append(Note("price", _label(want), f"{float(nearest):.2f}"))
                return
        for phrase in want.without:
            if self._fitting(replace(want, without=tuple(one for one in want.without if one != phrase))).any():
                self._notes.append(Note("ruled_out", phrase))
                return
        self._notes.append(Note("nothing", wish(want)))
        for name in want.diets:
            if self._fitting(replace(want, diets=tuple(one for one in want.diets if one != name))).any():
                self._notes.append(Note("diet", name))
                return

    def _fitting(self, want: Conversation) -> Mask:
        """(I,) bool: what another wish would allow; nothing is noted of it."""
        notes, self._notes = self._notes, []
        allowed = self._allowed(want)
        groups = self._groups(want, allowed)
        self._notes = notes
        wanted = np.zeros_like(allowed)
        for group in groups:
            wanted |= group.items
        return allowed & wanted

    def _kinds(self, ids: Sequence[str]) -> Mask:
        """(I,) bool: items of the narrowest categories of some items."""
        rows, columns = self._rows(ids), list(self._catalogue.categories.values())
        if not len(rows) or not columns:
            return _as_mask(rows, len(self._catalogue))
        return np.isin(columns[-1].codes, columns[-1].codes[rows])

    def _like(self, want: Conversation) -> int | None:
        row = self._catalogue.index.get(want.like) if want.like else None
        if row is not None:
            self._notes.append(Note("like", self._catalogue.names[row], want.like))
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


def _cosines(vectors: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) float32 cosines of (N, D) vectors to one of (D,); 0 where one of them is of length 0."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    return np.asarray((vectors @ vector) / np.maximum(lengths, 1e-9), np.float32)


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
