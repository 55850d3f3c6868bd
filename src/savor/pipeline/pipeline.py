"""The runner: takes a query through the stages."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import PipelineError
from savor.core.hashing import sha256_json
from savor.online.experiments.exploration import Explored, explore
from savor.pipeline.candidates import Candidates, Retrieved
from savor.pipeline.circumstances import circumstances
from savor.pipeline.contract import check_column, check_hydrated, check_order, check_retrieved, check_values
from savor.pipeline.merit import MERIT, merit_of, spans_of
from savor.pipeline.query import Query
from savor.pipeline.request import Request
from savor.pipeline.result import Drop, Fallback, Reason, Result, Trace
from savor.pipeline.stage import (
    Adjuster,
    Effect,
    Enricher,
    Filter,
    Hydrator,
    Ranker,
    Reasoner,
    Selector,
    Source,
    Stage,
)
from savor.pipeline.stages.blend import blend
from savor.pipeline.stages.explore import Explore
from savor.pipeline.stages.popular import Popular
from savor.pipeline.stages.top import Top
from savor.pipeline.wiring import CANDIDATE_COLUMNS, check_wiring

UNLEARNT = frozenset({"groups", "popular"})
"""Sources whose columns no ranker learns from: they follow from rules, not from what users do."""


class Pipeline:
    """Stages in order: hydrators, sources, filters, what fills up, enrichers, ranker, adjusters, selectors, reasons.

    The list comes in the order of the selectors; scores are the ranker's. Running is safe from several threads where
    the stages are.

    Args:
        hydrators: find out about the query; each may read what those before it wrote.
        sources: bring candidates; their union is taken.
        backup: sources that are asked when those bring fewer than wanted; what they bring comes behind.
        filters: take candidates out.
        popular: fills the list when there are still fewer than wanted.
        fill: whether it does.
        enrichers: add columns to the candidates for the ranker.
        ranker: scores; without one, or when it fails, the ranks of the sources are blended.
        adjusters: change the merit of candidates, which decides their order.
        selectors: reorder; the first n are the list.
        reasoner: says why.
        effects: take note of what is shown.
        columns: sources of other pipelines, whose columns are here too, NaN: the ranker reads them.
        wants: what the moment must hold for this pipeline to do what it is for: `items` or `text`.
        number_of_items: I, rows of the catalogue.
        absent: what the bundle lacks of what was wanted; part of every result.

    Raises:
        PipelineError: the stages do not fit together; every problem is listed.
    """

    def __init__(
        self,
        *,
        hydrators: Sequence[Hydrator],
        sources: Sequence[Source],
        filters: Sequence[Filter],
        popular: Popular,
        ranker: Ranker | None,
        selectors: Sequence[Selector],
        reasoner: Reasoner,
        number_of_items: int,
        absent: Sequence[Fallback] = (),
        enrichers: Sequence[Enricher] = (),
        adjusters: Sequence[Adjuster] = (),
        effects: Sequence[Effect] = (),
        backup: Sequence[Source] = (),
        fill: bool = True,
        columns: Sequence[str] = (),
        wants: Literal["items", "text"] | None = None,
    ) -> None:
        self.hydrators, self.filters = tuple(hydrators), tuple(filters)
        self.main, self.backup, self.sources = tuple(sources), tuple(backup), (*sources, *backup, popular)
        self.popular, self.ranker, self.selectors, self.reasoner = popular, ranker, tuple(selectors), reasoner
        self.enrichers, self.adjusters, self.effects = tuple(enrichers), tuple(adjusters), tuple(effects)
        self.absent, self.fill, self.wants = tuple(absent), fill, wants
        self._number_of_items, self._explore, self._top = number_of_items, Explore(), Top()
        self._selecting = {MERIT}.union(*(selector.reads for selector in self.selectors))
        own = tuple(source.name for source in self.sources)
        self._names = (*own, *(name for name in columns if name not in own))
        check_wiring(self._phases(), self._names)
        of_sources = {f"{name}_{kind}" for name in self._names for kind in ("score", "rank")}
        added = {column for enricher in self.enrichers for column in enricher.writes}
        self._given = CANDIDATE_COLUMNS | of_sources | added | {"score"}

    def _phases(self) -> list[tuple[str, Sequence[Stage]]]:
        return [
            ("hydrators", self.hydrators),
            ("sources", self.sources),
            ("filters", self.filters),
            ("enrichers", self.enrichers),
            ("ranker", (self.ranker,) if self.ranker else ()),
            ("adjusters", self.adjusters),
            ("selectors", (*self.selectors, self._explore, self._top)),
            ("reasons", (self.reasoner,)),
            ("effects", self.effects),
        ]

    @property
    def source_columns(self) -> tuple[str, ...]:
        """Names of the candidate columns that sources and enrichers bring and that rankers learn from."""
        brought = (source.name for source in self.main if source.name not in UNLEARNT)
        added = (column for enricher in self.enrichers for column in sorted(enricher.writes))
        return (*(f"{name}_{kind}" for name in brought for kind in ("score", "rank")), *added)

    def describe(self) -> list[dict[str, Any]]:
        """The stages as JSON values, in the order they run."""
        return [
            {
                "phase": phase,
                "name": stage.name,
                "reads": sorted(stage.reads),
                "writes": sorted(stage.writes),
                "required": stage.required,
            }
            for phase, stages in self._phases()
            for stage in stages
        ]

    @property
    def hash(self) -> str:
        """64 hexadecimal digits over `describe`."""
        return sha256_json(self.describe())

    def run(self, query: Query) -> Result:
        """Recommend.

        Raises:
            PipelineError: a required stage failed (code `stage_failed`).
        """
        request, retrieved = self._gather(query)
        candidates = self._filtered(request, Candidates.merge(self._names, retrieved))
        main = len(candidates)
        if self._lacking(query, candidates):
            candidates = self._filled(request, candidates, retrieved)
        tiered = main if self.backup or self.wants else len(candidates)
        return self._ranked(request, candidates, retrieved, tiered)

    def rank(self, query: Query, items: NDArray[np.int32]) -> Result:
        """Score and sort the distinct item rows `items`, all of them; filters and selectors stand aside.

        Raises:
            PipelineError: a required stage failed (code `stage_failed`).
        """
        request, retrieved = self._gather(query)
        wanted = np.unique(items).astype(np.int32)
        brought = Candidates.merge(self._names, retrieved)
        known = brought.select(np.isin(brought.item, wanted))
        rest = np.setdiff1d(wanted, known.item, assume_unique=True)
        others = Candidates.unsourced(self._names, rest)
        return self._ranked(request, Candidates.concatenate(known, others), retrieved, None)

    def gather(self, query: Query) -> tuple[dict[str, Any], Candidates]:
        """What hydrators found and what sources bring for `query`, filtered, unranked: the ranker learns from this.

        Raises:
            PipelineError: a stage failed, even one that an answer could do without (code `stage_failed`).
        """
        request, retrieved = self._gather(query)
        candidates = self._filtered(request, Candidates.merge(self._names, retrieved))
        candidates = self._enriched(request, candidates)
        if request.failures:
            failed = "; ".join(f"{one.stage}: {one.message}" for one in request.failures)
            raise PipelineError(f"stages failed while candidates were gathered: {failed}", code="stage_failed")
        return request.hydrated, candidates

    def _gather(self, query: Query) -> tuple[Request, dict[str, Retrieved]]:
        request = Request(query)
        for hydrator in self.hydrators:
            found = request.attempt(hydrator, _hydrate, hydrator, request)
            request.hydrated.update(found or {})
        retrieved: dict[str, Retrieved] = {}
        for source in self.main:
            brought = request.attempt(source, self._retrieve, source, request, until=request.halftime)
            if brought is not None:
                retrieved[source.name] = brought
        return request, retrieved

    def _retrieve(self, stage: Source, request: Request) -> Retrieved:
        return check_retrieved(stage.retrieve(request.query, request.hydrated), self._number_of_items)

    def _filtered(self, request: Request, candidates: Candidates) -> Candidates:
        for stage in self.filters:
            if not len(candidates):
                break
            kept = request.attempt(stage, _keep, stage, request, candidates, given=self._given)
            if kept is not None and not kept.all():
                remaining = candidates.select(kept)
                request.dropped.append(Drop(stage.name, len(candidates) - len(remaining)))
                candidates = remaining
        return candidates

    @staticmethod
    def _lacking(query: Query, candidates: Candidates) -> int:
        """How many items the list still wants."""
        usable = len(candidates)
        if len(query.shown):
            usable -= int(np.isin(candidates.item, query.shown).sum())
        return max(query.n - usable, 0)

    def _filled(self, request: Request, candidates: Candidates, retrieved: dict[str, Retrieved]) -> Candidates:
        """`candidates`, then those of the backup and popular ones, until there are enough, or no more."""
        query = request.query
        if self.backup:
            candidates = self._backed(request, candidates, retrieved)
        lacking = self._lacking(query, candidates)
        if lacking and self.fill:
            taken = np.concatenate([candidates.item, query.shown])
            brought = request.attempt(self.popular, lambda: self.popular.fill(lacking, request.hydrated, taken=taken))
            if brought is not None and len(brought.item):
                retrieved[self.popular.name] = brought
                more = self._filtered(request, Candidates.merge(self._names, {self.popular.name: brought}))
                candidates = Candidates.concatenate(candidates, more)
                request.fallbacks.append(
                    Fallback(
                        "filled_from_popularity", f"{len(more)} of the candidates are there for being popular only"
                    )
                )
        missing = self._lacking(query, candidates)
        if missing == query.n:
            what = (
                "nothing in the catalogue may be shown" if self.fill else "no source brings anything that may be shown"
            )
            if len(query.shown):
                what = "everything that may be shown was on earlier pages"
            request.fallbacks.append(Fallback("no_eligible_items", what))
        elif missing:
            where = "in the catalogue may be shown" if self.fill else "that may be shown are brought by the sources"
            request.fallbacks.append(Fallback("catalogue_exhausted", f"only {query.n - missing} items {where}"))
        return candidates

    def _backed(self, request: Request, candidates: Candidates, retrieved: dict[str, Retrieved]) -> Candidates:
        brought = {}
        for source in self.backup:
            found = request.attempt(source, self._retrieve, source, request, until=request.halftime)
            if found is not None:
                brought[source.name] = found
        retrieved.update(brought)
        others = Candidates.merge(self._names, brought)
        more = self._filtered(request, others.select(np.isin(others.item, candidates.item, invert=True)))
        if len(more):
            request.fallbacks.append(
                Fallback(
                    "filled_from_usual", f"{len(more)} of the candidates are there for the user, not for the moment"
                )
            )
        return Candidates.concatenate(candidates, more)

    def _enriched(self, request: Request, candidates: Candidates) -> Candidates:
        columns = {}
        for stage in self.enrichers:
            found = request.attempt(stage, _enrich, stage, request, candidates, given=self._given)
            (column,) = stage.writes
            columns[column] = np.full(len(candidates), np.nan, np.float32) if found is None else found
        return candidates.enriched(columns) if columns else candidates

    def _ranked(
        self,
        request: Request,
        candidates: Candidates,
        retrieved: dict[str, Retrieved],
        main: int | None,
    ) -> Result:
        """Score and sort; the candidates from position `main` on come behind. None: all of them, by score alone."""
        query, ranked, scorer = request.query, len(candidates), "blend"
        candidates = self._enriched(request, candidates)
        scores: NDArray[np.float32] | None = None
        if self.ranker is not None and ranked:
            scores = request.attempt(self.ranker, _rank, self.ranker, request, candidates, given=self._given)
            scorer = self.ranker.name if scores is not None else scorer
        candidates = candidates.scored(blend(candidates, self._names) if scores is None else scores)
        explored: Explored | None = None
        if main is None:
            chosen, more = candidates.select(_falling(candidates)), False
        else:
            candidates = self._adjusted(request, candidates, main)
            order = _falling(candidates)
            if len(query.shown):
                order = order[np.isin(candidates.item[order], query.shown, invert=True)]
            positions, explored, more = self._selected(request, candidates, order)
            chosen = candidates.select(positions)
            more = more or (self.fill and len(chosen) == query.n and _left(request) > 0)
        reasons = request.attempt(
            self.reasoner, self.reasoner.explain, query, request.hydrated, chosen, given=self._given
        )
        if main is not None and not query.unseen:
            for effect in self.effects:
                request.attempt(effect, effect.note, query, request.hydrated, chosen, given=self._given)
        trace = Trace(
            request.timings,
            {name: len(brought.item) for name, brought in retrieved.items()},
            ranked,
            self._names,
            scorer,
        )
        return Result(
            chosen,
            reasons if reasons is not None else [Reason("unexplained", "")] * len(chosen),
            tuple(request.dropped),
            tuple(request.failures),
            (*circumstances(request, self.wants), *self.absent, *request.fallbacks),
            trace,
            request.hydrated,
            explored,
            more,
        )

    def _adjusted(self, request: Request, candidates: Candidates, main: int) -> Candidates:
        """With a column `merit`, where anything but the score decides the order."""
        query = request.query
        behind = np.arange(len(candidates)) >= main
        if not len(candidates) or not (self.adjusters or behind.any()):
            return candidates
        merit = spans_of(candidates, query.n)
        for stage in self.adjusters:
            found = request.attempt(stage, _adjust, stage, request, candidates, merit, given=self._given)
            merit = merit if found is None else found
        if main and behind.any():
            merit[behind] += merit[:main].min() - merit[behind].max() - 1
        return candidates.enriched({MERIT: merit.astype(np.float32)})

    def _selected(
        self, request: Request, candidates: Candidates, order: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], Explored | None, bool]:
        """Positions of the list among the candidates, how it was drawn, and whether there is more than it.

        Selectors see the columns that they read and no others, which is most of what sorting would cost.
        """
        columns = {name: candidates.columns[name] for name in self._selecting if name in candidates.columns}
        seen = Candidates(candidates.item, candidates.score, candidates.source, columns).select(order)
        for selector in self.selectors:
            found = request.attempt(selector, _select, selector, request, seen, given=self._given)
            if found is not None and not np.array_equal(found, np.arange(len(seen))):
                seen, order = seen.select(found), order[found]
        explored: Explored | None = None
        if request.query.exploration is not None:
            explored = request.attempt(self._explore, _explore, request, seen, given=self._given)
        if explored is not None and explored.drawn:
            return order[explored.positions], explored, len(order) > len(explored.positions)
        head = request.attempt(self._top, _select, self._top, request, seen, given=self._given)
        assert head is not None
        return order[head], explored, len(order) > len(head)


def _falling(candidates: Candidates) -> NDArray[np.intp]:
    """Positions by falling merit, or score where there is none; ties by lower item."""
    return np.lexsort((candidates.item, -candidates.columns.get(MERIT, candidates.score)))


def _adjust(
    stage: Adjuster, request: Request, candidates: Candidates, merit: NDArray[np.float64]
) -> NDArray[np.float64]:
    return check_column(stage.adjust(request.query, request.hydrated, candidates, merit), np.float64, candidates)


def _explore(request: Request, candidates: Candidates) -> Explored:
    """Positions to show; chance is by how merit falls along the list, whatever order the rules gave it."""
    query = request.query
    n = min(query.n, len(candidates))
    falling = np.minimum.accumulate(merit_of(candidates, query.n)).astype(np.float32)
    return explore(query.exploration, falling, n, query.recommendation_id)


def _left(request: Request) -> int:
    """How many items may be shown beyond this page and those before it."""
    query, eligible = request.query, request.hydrated.get("eligible")
    if eligible is None:
        return 0
    return int(np.count_nonzero(eligible)) - int(np.count_nonzero(eligible[query.shown])) - query.n


def _hydrate(stage: Hydrator, request: Request) -> dict[str, Any]:
    return check_hydrated(stage, stage.hydrate(request.query, request.hydrated))


def _keep(stage: Filter, request: Request, candidates: Candidates) -> NDArray[np.bool_]:
    return check_column(stage.keep(request.query, request.hydrated, candidates), np.bool_, candidates)


def _enrich(stage: Enricher, request: Request, candidates: Candidates) -> NDArray[np.float32]:
    return check_values(stage.enrich(request.query, request.hydrated, candidates), np.float32, candidates)


def _rank(stage: Ranker, request: Request, candidates: Candidates) -> NDArray[np.float32]:
    return check_column(stage.rank(request.query, request.hydrated, candidates), np.float32, candidates)


def _select(stage: Selector, request: Request, candidates: Candidates) -> NDArray[np.intp]:
    return check_order(stage.select(request.query, request.hydrated, candidates), candidates)
