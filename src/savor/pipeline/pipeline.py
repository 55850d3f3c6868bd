"""The runner: takes a query through the stages."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import PipelineError
from savor.core.hashing import sha256_json
from savor.pipeline.candidates import Candidates, Retrieved
from savor.pipeline.contract import check_column, check_hydrated, check_order, check_retrieved, check_values
from savor.pipeline.query import Query
from savor.pipeline.request import Request
from savor.pipeline.result import Drop, Fallback, Reason, Result, Trace
from savor.pipeline.stage import Enricher, Filter, Hydrator, Ranker, Reasoner, Selector, Source, Stage
from savor.pipeline.stages.blend import blend
from savor.pipeline.stages.popular import Popular
from savor.pipeline.wiring import CANDIDATE_COLUMNS, check_wiring


class Pipeline:
    """Stages in order: hydrators, sources, filters, the fill, enrichers, ranker, selectors, reasons.

    Running is safe from several threads where the stages are.

    Args:
        hydrators: find out about the query; each may read what those before it wrote.
        sources: bring candidates; their union is taken.
        filters: take candidates out.
        popular: fills the list when filters leave fewer than wanted.
        enrichers: add columns to the candidates for the ranker.
        ranker: scores; without one, or when it fails, the ranks of the sources are blended.
        selectors: reorder and cut.
        reasoner: says why.
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
    ) -> None:
        self.hydrators, self.sources, self.filters = tuple(hydrators), (*sources, popular), tuple(filters)
        self.popular, self.ranker, self.selectors, self.reasoner = popular, ranker, tuple(selectors), reasoner
        self.enrichers, self.absent = tuple(enrichers), tuple(absent)
        self._number_of_items = number_of_items
        self._names = tuple(source.name for source in self.sources)
        check_wiring(self._phases())
        columns = {f"{name}_{kind}" for name in self._names for kind in ("score", "rank")}
        added = {column for enricher in self.enrichers for column in enricher.writes}
        self._given = CANDIDATE_COLUMNS | columns | added | {"score"}

    def _phases(self) -> list[tuple[str, Sequence[Stage]]]:
        return [
            ("hydrators", self.hydrators),
            ("sources", self.sources),
            ("filters", self.filters),
            ("enrichers", self.enrichers),
            ("ranker", (self.ranker,) if self.ranker else ()),
            ("selectors", self.selectors),
            ("reasons", (self.reasoner,)),
        ]

    @property
    def source_columns(self) -> tuple[str, ...]:
        """Names of the candidate columns that sources and enrichers bring, but for those of the fill."""
        brought = (name for name in self._names if name != self.popular.name)
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
        if len(candidates) < query.n:
            candidates = self._filled(request, candidates, retrieved)
        return self._ranked(request, candidates, retrieved, self.selectors)

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
        return self._ranked(request, Candidates.concatenate(known, others), retrieved, ())

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
        for source in self.sources:
            if source is self.popular:
                continue
            brought = request.attempt(source, self._retrieve, source, request)
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

    def _filled(self, request: Request, candidates: Candidates, retrieved: dict[str, Retrieved]) -> Candidates:
        """`candidates` with popular items added until there are enough, or no more."""
        query, lacking = request.query, request.query.n - len(candidates)
        brought = request.attempt(
            self.popular, lambda: self.popular.fill(lacking, request.hydrated, taken=candidates.item)
        )
        if brought is not None and len(brought.item):
            retrieved[self.popular.name] = brought
            more = self._filtered(request, Candidates.merge(self._names, {self.popular.name: brought}))
            candidates = Candidates.concatenate(candidates, more)
            request.fallbacks.append(
                Fallback("filled_from_popularity", f"{len(more)} of the candidates are there for being popular only")
            )
        if not len(candidates):
            request.fallbacks.append(Fallback("no_eligible_items", "nothing in the catalogue may be shown"))
        elif len(candidates) < query.n:
            request.fallbacks.append(
                Fallback("catalogue_exhausted", f"only {len(candidates)} items in the catalogue may be shown")
            )
        return candidates

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
        selectors: Sequence[Selector],
    ) -> Result:
        query, ranked, scorer = request.query, len(candidates), "blend"
        candidates = self._enriched(request, candidates)
        scores: NDArray[np.float32] | None = None
        if self.ranker is not None and ranked:
            scores = request.attempt(self.ranker, _rank, self.ranker, request, candidates, given=self._given)
            scorer = self.ranker.name if scores is not None else scorer
        chosen = _by_score(candidates.scored(blend(candidates, self._names) if scores is None else scores))
        for selector in selectors:
            order = request.attempt(selector, _select, selector, request, chosen, given=self._given)
            chosen = chosen if order is None else chosen.select(order)
        chosen = _by_score(chosen)
        reasons = request.attempt(
            self.reasoner, self.reasoner.explain, query, request.hydrated, chosen, given=self._given
        )
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
            (*self._circumstances(request), *self.absent, *request.fallbacks),
            trace,
            request.hydrated,
        )

    @staticmethod
    def _circumstances(request: Request) -> tuple[Fallback, ...]:
        history, known = request.hydrated.get("history"), request.hydrated.get("known_user")
        if known is False:
            return (
                Fallback(
                    "unknown_user", "nothing is known of this user; what newcomers choose and what is popular decides"
                ),
            )
        if history is not None and not len(history):
            return (Fallback("no_history", "the user has no history yet; the profile and what is popular decide"),)
        return ()


def _by_score(candidates: Candidates) -> Candidates:
    """By falling score, ties by lower item."""
    return candidates.select(np.lexsort((candidates.item, -candidates.score)))


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
