"""From request bodies to answers, as plain values."""

from collections.abc import Sequence
from functools import cached_property
from math import isfinite
from time import perf_counter_ns
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from savor.api.cursor import Cursor
from savor.api.requests import RankRequest, RecommendationRequest, SimilarItemsRequest
from savor.bundle.registry import Registry
from savor.core.errors import SavorError
from savor.features.text.options import TextEncoderOptions
from savor.online.experiments.plan import Plan
from savor.pipeline.build import Serving
from savor.pipeline.item_filter import ItemFilter
from savor.pipeline.pipeline import Pipeline
from savor.pipeline.query import KNOWN_WEIGHTS, Query
from savor.pipeline.result import Result
from savor.pipeline.search_query import TEXT_FIELDS
from savor.pipeline.stages.tree_ranker import TreeRanker

VARIANT = "control"
MOST_EXPLAINED = 50
"""For how many items of a list the strongest features are computed; it takes about a millisecond for each."""

STRONGEST_FEATURES = 5
_NONE = np.empty(0, np.int32)
Answer = dict[str, Any]


class Engine:
    """Answers from one bundle.

    Args:
        serving: what was built from it.
        registry: where it came from; None where it was opened by itself.
    """

    def __init__(self, serving: Serving, registry: Registry | None = None) -> None:
        self.serving, self.registry = serving, registry

    @property
    def bundle_id(self) -> str:
        """The id of the bundle."""
        return self.serving.bundle.id

    def recommend(
        self, body: RecommendationRequest, plan: Plan | None = None, *, patient: bool = False, unseen: bool = False
    ) -> tuple[Answer, Result]:
        """Answer `POST /recommendations`.

        Args:
            body: what is asked.
            plan: what the experiments of the user change; None: nothing.
            patient: whether to wait for whatever it takes, as no server can.
            unseen: whether nobody is shown the list, so that it counts for nothing.

        Raises:
            SavorError: the filter, the scenario or the cursor cannot be used, or a required stage failed.
        """
        scenarios, user, notes = self.serving.scenarios, str(body.user_id), []
        if body.scenario not in scenarios:
            raise SavorError(
                f"there is no scenario {body.scenario!r}; there are {', '.join(scenarios)}", code="scenario_unknown"
            )
        plan = plan or Plan(user, body.scenario)
        name = plan.scenario
        if name not in scenarios:
            notes.append(f"scenario_unknown: a variant names {name!r}, which is no scenario; the one asked for answers")
            name = body.scenario
        if unknown := plan.weights.keys() - KNOWN_WEIGHTS:
            notes.append(f"weight_unknown: a variant sets {sorted(unknown)}, which are no numbers of the pipeline")
        scenario, pipeline = scenarios[name], self.serving.pipelines[name]
        cursor = None if body.cursor is None else Cursor.decode(body.cursor, user, body.scenario)
        now, limit = self.serving.clock(), self.serving.opened.options.deadline_ms
        recommendation_id = uuid4().hex if cursor is None else cursor.recommendation_id
        query = Query(
            user_id=user,
            now=now if cursor is None else cursor.moment(now),
            n=body.num_recommendations,
            scenario=name,
            exclude_seen=body.exclude_seen or scenario.exclude_seen,
            exclude=self._rows(body.exclude_items),
            filter=self._filter(body.filter),
            shown=_NONE if cursor is None else self._rows(cursor.shown, ordered=True),
            diverse=body.diversity,
            context=body.context,
            variant=plan.variant,
            recommendation_id=recommendation_id,
            exploration=(plan.exploration or scenario.exploration) if cursor is None else None,
            weights=plan.weights,
            unseen=unseen,
            deadline=None if patient or limit is None else perf_counter_ns() + int(limit * 1e6),
        )
        result = pipeline.run(query)
        ids = self.serving.catalogue.ids
        rows, scores = result.items.tolist(), result.scores.tolist()
        descriptions = describe_items(self.serving, result.items)
        recommendations = [
            {
                "item_id": ids[row],
                "score": score,
                **description,
                "reason": {"code": reason.code, "text": reason.text},
            }
            for row, score, reason, description in zip(rows, scores, result.reasons, descriptions, strict=True)
        ]
        answer: Answer = {
            "user_id": body.user_id,
            "recommendations": recommendations,
            "num_recommendations": len(recommendations),
            "recommendation_id": recommendation_id,
            "bundle": self.bundle_id,
            "variant": plan.variant,
            "fallback": "; ".join([*notes, *filter(None, [result.fallback])]) or None,
            "next_cursor": None,
        }
        if result.more:
            before = () if cursor is None else cursor.shown
            shown = (*before, *(one["item_id"] for one in recommendations))
            answer["next_cursor"] = Cursor(recommendation_id, query.now, shown).encode(user, body.scenario)
        if body.explain:
            for place, recommendation in enumerate(recommendations):
                recommendation["explanation"] = _explanation(result, place)
            strongest = self._features(pipeline, query, result)
            for recommendation, features in zip(recommendations, strongest, strict=False):
                recommendation["explanation"]["features"] = features
            answer["trace"] = trace(result)
        return answer, result

    def similar(self, body: SimilarItemsRequest) -> Answer:
        """Answer `POST /similar_items`.

        Raises:
            SavorError: the filter cannot be used.
        """
        row = self.serving.catalogue.index.get(str(body.item_id))
        similar = self.serving.similar.find(
            row, body.num_similar, self._filter(body.filter), by_picture=body.by == "picture"
        )
        items = [
            {"item_id": self.serving.catalogue.ids[row], "score": score, **description}
            for row, score, description in zip(
                similar.items.tolist(),
                similar.scores.tolist(),
                describe_items(self.serving, similar.items),
                strict=True,
            )
        ]
        return {
            "item_id": body.item_id,
            "similar_items": items,
            "num_similar": len(items),
            **self._provenance(similar.fallback),
        }

    def rank(self, body: RankRequest) -> tuple[Answer, Result]:
        """Answer `POST /rank`.

        Raises:
            SavorError: a required stage failed.
        """
        index = self.serving.catalogue.index
        came = {str(identifier): identifier for identifier in body.item_ids}
        query = Query(user_id=str(body.user_id), now=self.serving.clock(), n=len(came), variant=VARIANT)
        result = self.serving.pipeline.rank(query, self._rows(body.item_ids))
        ids = self.serving.catalogue.ids
        items: list[dict[str, Any]] = [
            {"item_id": came[ids[row]], "score": score, **description}
            for row, score, description in zip(
                result.items.tolist(), result.scores.tolist(), describe_items(self.serving, result.items), strict=True
            )
        ]
        unknown = [identifier for text, identifier in came.items() if text not in index]
        items += [{"item_id": identifier, "score": None, "name": None} for identifier in unknown]
        notes = [f"unknown_items: {len(unknown)} of the items are not in the catalogue"] if unknown else []
        fallback = "; ".join([*([result.fallback] if result.fallback else []), *notes]) or None
        return {"user_id": body.user_id, "items": items, **self._provenance(fallback)}, result

    def waits(self, body: RecommendationRequest, plan: Plan) -> bool:
        """Whether making the list may wait for somebody else: a language model, or an encoder on another machine."""
        scenario = self.serving.scenarios.get(plan.scenario) or self.serving.scenarios.get(body.scenario)
        if scenario is None:
            return False
        return scenario.language_model is not None or (
            self._remote_encoder and not body.context.keys().isdisjoint(TEXT_FIELDS)
        )

    @cached_property
    def _remote_encoder(self) -> bool:
        space = self.serving.tables.space
        choice = space.options.text_encoder if space is not None else None
        return isinstance(choice, TextEncoderOptions) and choice.endpoint is not None

    def scenarios(self) -> Answer:
        """Answer `GET /scenarios`."""
        return {
            "bundle": self.bundle_id,
            "scenarios": [
                {
                    "name": name,
                    "sources": [source.name for source in pipeline.main],
                    "backup": [source.name for source in pipeline.backup],
                    "exclude_seen": self.serving.scenarios[name].exclude_seen,
                    "wants": pipeline.wants,
                    "stages": [stage["name"] for stage in pipeline.describe()],
                    "hash": pipeline.hash,
                }
                for name, pipeline in self.serving.pipelines.items()
            ],
        }

    @staticmethod
    def _features(pipeline: Pipeline, query: Query, result: Result) -> list[list[dict[str, Any]]]:
        """For each of the first items, the features that moved its score furthest; none where no trees scored it."""
        ranker = pipeline.ranker
        if not isinstance(ranker, TreeRanker) or result.trace.scorer != ranker.name:
            return []
        head = result.candidates.select(np.arange(min(len(result.items), MOST_EXPLAINED)))
        found = ranker.strongest(query, result.hydrated, head, STRONGEST_FEATURES)
        return [[one._asdict() for one in features] for features in found]

    def _rows(self, identifiers: Sequence[Any], *, ordered: bool = False) -> NDArray[np.int32]:
        """The distinct rows of those items that are in the catalogue, rising, or `ordered` as they came."""
        if not identifiers:
            return _NONE
        index = self.serving.catalogue.index
        rows = dict.fromkeys(index[text] for text in map(str, identifiers) if text in index)
        return np.fromiter(rows if ordered else sorted(rows), np.int32, len(rows))

    def _filter(self, specification: dict[str, Any] | None) -> ItemFilter | None:
        return ItemFilter.parse(specification, self.serving.catalogue) if specification else None

    def _provenance(self, fallback: str | None) -> Answer:
        return {
            "recommendation_id": uuid4().hex,
            "bundle": self.bundle_id,
            "variant": VARIANT,
            "fallback": fallback,
        }


def describe_item(serving: Serving, row: int) -> dict[str, Any]:
    """Name, narrowest known category and price of an item, for people."""
    (description,) = describe_items(serving, np.asarray([row], np.int32))
    return description


def describe_items(serving: Serving, rows: NDArray[np.int32]) -> list[dict[str, Any]]:
    """Name, narrowest known category and price of each of some items, for people."""
    catalogue = serving.catalogue
    categories: list[str | None] = [None] * len(rows)
    for column in catalogue.categories.values():
        for place, code in enumerate(column.codes[rows].tolist()):
            categories[place] = column.values[code] or categories[place]
    return [
        {"name": catalogue.names[row], "category": category, "price": round(price, 4) if isfinite(price) else None}
        for row, category, price in zip(rows.tolist(), categories, catalogue.price[rows].tolist(), strict=True)
    ]


def _explanation(result: Result, place: int) -> dict[str, Any]:
    """Why the item at `place` is there: what each source that brought it said, and what the scorer made of it."""
    candidates = result.candidates
    bits = int(candidates.source[place])
    sources = {
        name: {
            "score": float(candidates.columns[f"{name}_score"][place]),
            "rank": int(candidates.columns[f"{name}_rank"][place]),
        }
        for bit, name in enumerate(result.trace.sources)
        if bits >> bit & 1
    }
    return {"sources": sources, "scorer": result.trace.scorer, "score": float(candidates.score[place])}


def trace(result: Result) -> dict[str, Any]:
    """What happened on the way, as JSON values."""
    return {
        "stages": [
            {"name": name, "milliseconds": round(nanoseconds * 1e-6, 4)}
            for name, nanoseconds in result.trace.timings.items()
        ],
        "retrieved": result.trace.retrieved,
        "ranked": result.trace.ranked,
        "scorer": result.trace.scorer,
        "dropped": {drop.stage: drop.number for drop in result.dropped},
        "failures": [failure._asdict() for failure in result.failures],
    }
