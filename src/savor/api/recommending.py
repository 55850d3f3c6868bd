"""A recommendation with everything beside it: the user's experiments, the log of what was shown, figures."""

import asyncio
from time import perf_counter
from typing import Any, NamedTuple

from starlette.datastructures import State

from savor.api.cursor import Cursor
from savor.api.engine import Answer, Engine
from savor.api.engines import Engines
from savor.api.live_experiments import LiveExperiments
from savor.api.metrics import Metrics, less_than_usual
from savor.api.requests import RecommendationRequest
from savor.online.experiments.assignment import Assignment
from savor.online.experiments.exposure_log import ShownList
from savor.online.experiments.options import CONTROL
from savor.online.experiments.plan import Plan
from savor.online.moment import wall_microclock
from savor.pipeline.result import Result

OUTSIDE = (Assignment("-", CONTROL),)
"""Under which lists that may be drawn are logged where no experiment is at work."""


def recommended(state: State, engine: Engine, body: RecommendationRequest) -> tuple[Answer, Result]:
    """Answer `POST /recommendations` as the user's experiments have it, and note that it was shown.

    Args:
        state: of the application.
        engine: what answers, unless a variant names the channel of another bundle.
        body: what is asked.

    Raises:
        SavorError: as `Engine.recommend`.
    """
    asked = _asked(state, engine, body)
    answer, result = asked.engine.recommend(body, asked.plan)
    return _noted(state, engine, asked, answer, result)


async def recommended_beside(state: State, engine: Engine, body: RecommendationRequest) -> tuple[Answer, Result]:
    """`recommended`, but a list that waits for a language model or a remote encoder lets others be answered meanwhile.

    All other lists are made on the loop: a thread would cost them a third of their time.
    """
    asked = _asked(state, engine, body)
    if asked.engine.waits(body, asked.plan):
        answer, result = await asyncio.to_thread(asked.engine.recommend, body, asked.plan)
    else:
        answer, result = asked.engine.recommend(body, asked.plan)
    return _noted(state, engine, asked, answer, result)


class _Asked(NamedTuple):
    """A request, and how the experiments of its user have it answered."""

    body: RecommendationRequest
    plan: Plan
    engine: Engine
    note: str | None
    started: float


def _asked(state: State, engine: Engine, body: RecommendationRequest) -> _Asked:
    started = perf_counter()
    plan = state.experiments.plan(str(body.user_id), body.scenario)
    answering, note = engine, None
    if plan.channel is not None:
        answering, note = _of_channel(state, engine, plan.channel)
    return _Asked(body, plan, answering, note, started)


def _noted(state: State, engine: Engine, asked: _Asked, answer: Answer, result: Result) -> tuple[Answer, Result]:
    """The answer, noted as shown."""
    experiments: LiveExperiments = state.experiments
    metrics: Metrics = state.metrics
    body, plan, answering, note, started = asked
    user = str(body.user_id)
    if note is not None:
        answer["fallback"] = "; ".join(filter(None, [note, answer["fallback"]]))
    seconds = perf_counter() - started
    metrics.ran(result)
    drawn = result.explored is not None and result.explored.drawn
    metrics.listed(answer["recommendation_id"], body.scenario, plan.variant, result, seconds, drawn=drawn)
    explored = result.explored
    assignments = plan.assignments or (OUTSIDE if explored is not None else ())
    if assignments:
        ids = answering.serving.catalogue.ids
        before = 0 if body.cursor is None else len(Cursor.decode(body.cursor, user, body.scenario).shown)
        shown = ShownList(
            answer["recommendation_id"],
            plan.unit,
            assignments,
            [ids[row] for row in result.items.tolist()],
            None if explored is None else explored.propensities,
            less_than_usual(result) or note is not None,
            seconds,
            wall_microclock(),
            before,
        )
        experiments.shown(plan, shown)
        for experiment, channel in plan.judges if explored is not None else ():
            other, missing = _of_channel(state, engine, channel)
            if missing is None:
                state.judge.ask(other, body, plan, experiment, shown)
    if state.drift.due and answering is engine and _usual(body):
        state.drift.offer(engine.serving, user)
    return answer, result


def _of_channel(state: State, engine: Engine, channel: str) -> tuple[Engine, str | None]:
    """The engine of the bundle that `channel` points to, or else the one that is served, and why."""
    engines: Engines | None = getattr(state, "engines", None)
    bundle = state.experiments.bundle_of(channel)
    if engines is not None and bundle is not None and (found := engines.named(bundle)) is not None:
        return found, None
    why = "nothing is published there" if bundle is None else "its bundle is not loaded"
    return engine, f"variant_unavailable: the variant answers from channel {channel!r}, and {why}; the live one answers"


def _usual(body: RecommendationRequest) -> bool:
    """Whether a request is like those of the reference of drift: nothing is asked for but a list."""
    given: list[Any] = [body.filter, body.exclude_items, body.context, body.exclude_seen, body.cursor]
    return body.scenario == "home" and not any(given)
