"""Writes `golden.json`: questions with the inputs and answers that every implementation on a device must meet.

Histories are drawn from the catalogue, and are nobody's. Inputs come from the server's own `FeatureSpace`, answers from
the exported model and the server's own filter, so nothing of a device's code is compared with itself.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.data.histories import History
from savor.export.edge_catalogue import kept_for_histories
from savor.export.edge_features import NOT_ON_DEVICE
from savor.export.golden_ranking import FEATURE_TOLERANCE, GoldenRanking
from savor.export.golden_ranking import SCORE_TOLERANCE as RANKED_TOLERANCE
from savor.export.own_items import OwnItemsBonus
from savor.export.server_ranking import FoundItems
from savor.export.shard import by_sales
from savor.features.catalogue import Catalogue
from savor.features.feature_space import FeatureSpace
from savor.features.profiles import UserProfile
from savor.online.live_states import NOT_INTEREST
from savor.pipeline.item_filter import ItemFilter
from savor.pipeline.query import Query
from savor_edge.edge_model import BARRED, LEAST, MASK, EdgeModel
from savor_edge.features import DOCUMENT

NAME = "golden.json"
FORMAT_VERSION = 1
INPUT_TOLERANCE = 1e-6
SCORE_TOLERANCE = 1e-3
USER = "golden"
NUMBER = 10
HOUR, DAY = 3600, 86_400
_FROM = 1_700_000_000
_NEVER_SEEN = "Käse 🧀"


@dataclass
class _Question:
    """One example: what is asked, and what happened before, in the order it was recorded."""

    name: str
    now: int
    profile: dict[str, Any] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def happened(self, item_id: str, time: int, kind: str, basket: str | None = None, **told: float) -> None:
        """Add an event at `time` (UTC seconds), with its `value` and `price` where they are told."""
        event = {
            "event_id": f"{crc32(self.name.encode()):08x}{len(self.events):08x}",
            "user_id": USER,
            "kind": kind,
            "item_id": item_id,
            "time": time * 1000 + 999,
            **told,
        }
        self.events.append(event if basket is None else {**event, "basket_id": basket})


def write_golden(
    bundle: Bundle,
    catalogue: Catalogue,
    space: FeatureSpace,
    rows: NDArray[np.int32],
    directory: Path,
    *,
    user_ids: bool = False,
    seed: int = 0,
    score_tolerance: float = SCORE_TOLERANCE,
    ranking: GoldenRanking | None = None,
) -> None:
    """Write `golden.json` beside `model.tflite`.

    Args:
        bundle: that is exported.
        catalogue: of the bundle.
        space: of the bundle.
        rows: (I,) rows of the catalogue that the model answers with, in its order.
        directory: holds the model and `features.json`.
        user_ids: whether the device knows the ids of users.
        seed: of the histories that are drawn.
        score_tolerance: how far another build of the runtime may be from these scores.
        ranking: of the ranker that goes along; None where none does.
    """
    config = bundle.read_json("config.json") if bundle.has("config.json") else {}
    kinds = list(config.get("kinds", ()))
    model = EdgeModel.open(directory)
    asked = _questions(bundle, catalogue, space, rows, kinds, np.random.default_rng(seed))
    own_items = OwnItemsBonus.from_json(orjson.loads((directory / DOCUMENT).read_bytes()).get("own_items"))
    answerer = _Answerer(catalogue, space, rows, kinds, model, user_ids, own_items, ranking)
    queries = [answerer.answered(question) for question in asked]
    tolerance = {"inputs": INPUT_TOLERANCE, "scores": score_tolerance}
    if ranking is not None:
        spread = float(np.mean([np.std(query["ranked"]["scores"]) for query in queries]))
        tolerance |= {"features": FEATURE_TOLERANCE, "ranked": max(RANKED_TOLERANCE * spread, 1e-7)}
    document = {"format_version": FORMAT_VERSION, "tolerance": tolerance, "queries": queries}
    (directory / NAME).write_bytes(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))


class _Answerer:
    """What the server's code says to a question."""

    def __init__(
        self,
        catalogue: Catalogue,
        space: FeatureSpace,
        rows: NDArray[np.int32],
        kinds: list[str],
        model: EdgeModel,
        user_ids: bool,
        own_items: OwnItemsBonus | None,
        ranking: GoldenRanking | None,
    ) -> None:
        self._catalogue, self._space, self._rows, self._kinds, self._model = catalogue, space, rows, kinds, model
        self._user_ids, self._own_items, self._ranking = user_ids, own_items, ranking
        self._known = {catalogue.ids[row] for row in np.concatenate([rows, kept_for_histories(space, rows)]).tolist()}

    def answered(self, question: _Question) -> dict[str, Any]:
        history = self._history(question)
        inputs = self._space.user_input(history, self._profile(question.profile), question.now)
        for name in NOT_ON_DEVICE:
            if name in inputs:
                inputs[name] = np.zeros_like(inputs[name])
        if "user_id" in inputs and not self._user_ids:
            inputs["user_id"] = np.zeros_like(inputs["user_id"])
        allowed = self._allowed(question, history)
        bonus = self._bonus(history, question.now)
        mask = np.where(allowed, bonus, BARRED)
        found = self._model(inputs, mask)
        every = found.scores > LEAST
        shown = np.flatnonzero(every)[:NUMBER]
        answer = {
            "name": question.name,
            "request": {"user_id": USER, "num_recommendations": NUMBER, "diversity": False, **question.request},
            "now": question.now,
            "profile": question.profile,
            "events": question.events,
            "inputs": {name: inputs[name].ravel() for name in sorted(self._model.shapes) if name != MASK},
            "allowed": int(allowed.sum()),
            "mask_crc32": crc32(allowed.astype(np.uint8).tobytes()),
            "bonus": {
                self._catalogue.ids[self._rows[place]]: bonus[place].item()
                for place in np.flatnonzero(allowed & (bonus > 0)).tolist()
            },
            "items": self._ids(found.items[shown]),
            "scores": found.scores[shown],
        }
        if self._ranking is not None:
            items, scores = found.items[every], found.scores[every]
            listed = FoundItems(items, scores - bonus[items], scores, allowed)
            seen = bool(question.request.get("exclude_seen"))
            query = Query("", question.now, NUMBER, exclude_seen=seen, unseen=True)
            order, ranked, features = self._ranking.order(query, history, inputs, listed)
            answer["ranked"] = {
                "items": self._ids(items[order[:NUMBER]]),
                "scores": ranked[:NUMBER],
                "found": {"items": self._ids(items), "scores": scores},
                "features": {self._ids(items[place : place + 1])[0]: features[place] for place in (0, len(items) - 1)},
            }
        return answer

    def _ids(self, places: NDArray[np.int32]) -> list[str]:
        return [self._catalogue.ids[row] for row in self._rows[places].tolist()]

    def _profile(self, given: dict[str, Any]) -> UserProfile:
        users = self._space.users
        return UserProfile(
            USER,
            {name: given.get(name) for name in users.categories},
            {name: given.get(name, ()) for name in users.tags},
            {name: given[name] for name in users.scalers if name in given},
        )

    def _history(self, question: _Question) -> History:
        """As the server's live state has it: known items, kinds of interest, nothing later than now, in order."""
        counted = [
            event
            for event in question.events
            if event["item_id"] in self._known and (event["kind"] in self._kinds or event["kind"] not in NOT_INTEREST)
        ]
        time = np.minimum([event["time"] // 1000 for event in counted], question.now).astype(np.int64)
        order = np.argsort(time, kind="stable")
        counted = [counted[place] for place in order.tolist()]
        baskets = {
            name: place for place, name in enumerate(sorted({e["basket_id"] for e in counted if "basket_id" in e}))
        }
        number = {name: place for place, name in enumerate(self._kinds)}
        return History(
            np.asarray([self._catalogue.index[event["item_id"]] for event in counted], np.int32),
            time[order],
            np.asarray([number.get(event["kind"], 255) for event in counted], np.uint8),
            np.asarray([event.get("value", 1) for event in counted], np.float32),
            np.asarray([event.get("price", np.nan) for event in counted], np.float32),
            np.asarray([baskets[event["basket_id"]] if "basket_id" in event else -1 for event in counted], np.int64),
        )

    def _bonus(self, history: History, now: int) -> NDArray[np.float32]:
        """(I,) float32 of the person's own items."""
        bonus = np.zeros(len(self._catalogue), np.float32)
        if self._own_items is not None:
            items, worth = self._own_items.of(history, self._kinds, now)
            bonus[items] = worth
        return bonus[self._rows]

    def _allowed(self, question: _Question, history: History) -> NDArray[np.bool_]:
        """(I,) bool, as the server's eligibility has it."""
        allowed = self._catalogue.in_stock.copy()
        request = question.request
        conditions = ItemFilter.parse(request.get("filter", {}), self._catalogue)
        if conditions is not None:
            allowed &= conditions.matches(slice(None))
        barred = [*request.get("exclude_items", ()), *request.get("context", {}).get("basket", ())]
        allowed[[self._catalogue.index[name] for name in barred if name in self._catalogue.index]] = False
        if request.get("exclude_seen"):
            allowed[history.item[history.kind < len(self._kinds)]] = False
        return allowed[self._rows]


def _questions(
    bundle: Bundle,
    catalogue: Catalogue,
    space: FeatureSpace,
    rows: NDArray[np.int32],
    kinds: list[str],
    rng: np.random.Generator,
) -> list[_Question]:
    """Examples of everything that the way from a person to the model knows."""
    kind = kinds[0] if kinds else "view"
    pool = [catalogue.ids[row] for row in rows[by_sales(bundle, catalogue, rows)[:500]].tolist()]
    kept = [catalogue.ids[row] for row in kept_for_histories(space, rows)[:20].tolist()]
    length = space.options.history_length

    def ago(question: _Question, number: int, longest: int, items: list[str] = pool) -> None:
        for back in -np.sort(-rng.integers(1, longest, number)):
            question.happened(items[int(rng.integers(len(items)))], question.now - int(back), kind)

    newcomer = _Question("newcomer", _FROM)
    said = _Question("newcomer with a profile", _FROM + 5 * HOUR, _profile(space, 0))
    unheard = _Question("newcomer with values never seen", _FROM + 9 * HOUR, _profile(space, None))
    long = _Question("history longer than the model reads", _FROM + 2 * DAY, _profile(space, 1))
    ago(long, length + 12, 400 * DAY)
    session = _Question("session", _FROM + 3 * DAY + 1)
    ago(session, 3, 90 * DAY)
    for place, back in enumerate((7201, 3600, 1801, 1800, 61, 0)):
        session.happened(pool[place % len(pool)], session.now - back, kind)
    basket = _Question("basket that goes on after a pause", _FROM + 4 * DAY)
    ago(basket, 2, 3 * DAY)
    for place, (back, name) in enumerate(((9 * HOUR, "a"), (8 * HOUR, "b"), (2 * HOUR, "b"), (60, "b"))):
        basket.happened(pool[-1 - place % len(pool)], basket.now - back, kind, name)
    odd = _Question("events that count in other ways", _FROM + 6 * DAY)
    odd.happened(pool[0], odd.now - DAY, "impression")
    odd.happened("no-such-item-anywhere", odd.now - DAY, kind)
    odd.happened(pool[-1], odd.now + 500, kind)
    odd.happened(pool[0], odd.now - 2 * DAY, "glance")
    odd.happened(pool[len(pool) // 2], odd.now - 3 * DAY, kind, value=3, price=7.5)
    odd.happened(pool[len(pool) // 2], odd.now - 3 * DAY, kind, value=2)
    ages = _Question("every age", _FROM + 8 * DAY)
    for power in range(18, -1, -1):
        ages.happened(pool[power % len(pool)], ages.now - HOUR * (2**power - 1) + power % 2, kind)
    barred = _Question("exclude_seen and exclude_items", _FROM + 10 * DAY)
    ago(barred, 12, 60 * DAY)
    barred.happened(pool[1 % len(pool)], barred.now - 10, "glance")
    barred.request = {
        "exclude_seen": True,
        "exclude_items": [pool[2 % len(pool)], "no-such-item-anywhere"],
        "context": {"basket": [pool[3 % len(pool)]]},
    }
    narrowed = _Question("filter", _FROM + 11 * DAY, _profile(space, 2))
    ago(narrowed, 8, 60 * DAY)
    narrowed.request = {"filter": _filter(catalogue, rows)}
    questions = [newcomer, said, unheard, long, session, basket, odd, ages, barred, narrowed]
    if kept:
        outside = _Question("items outside the shortlist", _FROM + 12 * DAY)
        ago(outside, 10, 60 * DAY, [*kept, *pool[:5]])
        questions.append(outside)
    return questions


def _profile(space: FeatureSpace, place: int | None) -> dict[str, Any]:
    """Some value in every column; values never seen where `place` is None."""
    users = space.users
    said: dict[str, Any] = {}
    for name, vocabulary in users.categories.items():
        values = vocabulary.values
        said[name] = values[place % len(values)] if values and place is not None else _NEVER_SEEN
    for name, vocabulary in users.tags.items():
        values = vocabulary.values
        listed = [] if place is None else [values[(place + step) % len(values)] for step in range(3) if values]
        said[name] = [*listed, _NEVER_SEEN, ""]
    for name, scaler in users.scalers.items():
        said[name] = 1e6 if place is None else round(scaler.mean + place / 3, 3)
    return said


def _filter(catalogue: Catalogue, rows: NDArray[np.int32]) -> dict[str, Any]:
    """Two values of the narrowest category that has enough items, and a price that half of the items are below."""
    conditions: dict[str, Any] = {}
    if catalogue.categories:
        name, column = list(catalogue.categories.items())[-1]
        count = np.bincount(column.codes[rows], minlength=len(column.values))
        count[0] = 0
        frequent = np.argsort(-count, kind="stable")[:2].tolist()
        values = [column.values[code] for code in frequent if count[code]]
        if values:
            conditions[name] = {"in": values}
    price = catalogue.price[rows]
    if np.isfinite(price).any():
        conditions["price"] = {"lte": round(float(np.nanmedian(price)), 2)}
    return conditions
