"""`/experiments` and `/drift`."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from savor.api.context import json_answer
from savor.api.drift_monitor import DriftMonitor
from savor.api.experiment_bodies import (
    AssignmentBody,
    DriftBody,
    ExperimentBody,
    ExperimentsBody,
    OffPolicyBody,
    RampRequest,
    ResultsBody,
    StopRequest,
)
from savor.api.identifiers import LONGEST
from savor.api.live_experiments import LiveExperiments, described
from savor.api.off_policy import off_policy
from savor.api.problems import documented
from savor.api.security import actor_of
from savor.core.errors import SavorError

router = APIRouter(tags=["experiments"])
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="Name of the experiment.")]


def experiments_of(request: Request) -> LiveExperiments:
    """The experiments of this application."""
    experiments: LiveExperiments = request.app.state.experiments
    return experiments


def drift_of(request: Request) -> DriftMonitor:
    """What watches for drift in this application."""
    monitor: DriftMonitor = request.app.state.drift
    return monitor


@router.get("/experiments", response_model=ExperimentsBody)
async def list_experiments(request: Request) -> Response:
    """Every experiment, and where it stands."""
    live = experiments_of(request)
    return json_answer({"experiments": [described(one, differs=live.differs(one.name)) for one in live.all()]})


@router.get("/experiments/{name}", response_model=ExperimentBody, responses=documented(404, 422))
async def show_experiment(request: Request, name: Name) -> Response:
    """One experiment, and where it stands."""
    live = experiments_of(request)
    return json_answer(described(live.get(name), differs=live.differs(name)))


@router.get("/experiments/{name}/results", response_model=ResultsBody, responses=documented(404, 422, 503))
async def experiment_results(request: Request, name: Name) -> Response:
    """What it shows so far; intervals hold at every look, so look as often as you like."""
    live = experiments_of(request)
    found = await asyncio.to_thread(live.results, name)
    experiment = live.get(name)
    return json_answer({**found.as_json(), "status": experiment.status, "since": experiment.since or None})


@router.get("/experiments/{name}/off_policy", response_model=OffPolicyBody, responses=documented(404, 409, 422, 503))
async def experiment_off_policy(
    request: Request, name: Name, outcome: Literal["click", "purchase"] = "click"
) -> Response:
    """How the bundle on the channel `judge` would have done, from what exploration showed."""
    live = experiments_of(request)
    channel = live.get(name).options.judge
    if channel is None:
        raise SavorError(f"the experiment {name!r} has no judge", code="experiment_state")
    rounds = await asyncio.to_thread(lambda: live.rounds(name, bought=outcome == "purchase"))
    found = await asyncio.to_thread(off_policy, rounds)
    return json_answer({"experiment": name, "channel": channel, "outcome": outcome, **found})


@router.get("/experiments/{name}/assignment", response_model=AssignmentBody, responses=documented(404, 422))
async def experiment_assignment(
    request: Request, name: Name, user_id: Annotated[str, Query(min_length=1, max_length=LONGEST)]
) -> Response:
    """Which variant a user has."""
    live = experiments_of(request)
    live.get(name)
    return json_answer(
        {"experiment": name, "user_id": user_id, "variant": live.assignments(user_id).get(name)},
    )


@router.post("/experiments/{name}/start", response_model=ExperimentBody, responses=documented(404, 409, 422, 503))
async def start_experiment(request: Request, name: Name) -> Response:
    """Let users take part from now on, as savor.toml says."""
    live, actor = experiments_of(request), actor_of(request.scope)
    return json_answer(described(await asyncio.to_thread(live.start, name, actor)))


@router.post(
    "/experiments/{name}/stop", response_model=ExperimentBody, responses=documented(400, 404, 409, 413, 422, 503)
)
async def stop_experiment(request: Request, name: Name, body: StopRequest | None = None) -> Response:
    """Let nobody take part from now on; what is rolled out is taken back from everybody."""
    live, actor = experiments_of(request), actor_of(request.scope)
    reason = (body or StopRequest()).reason
    return json_answer(described(await asyncio.to_thread(live.stop, name, actor, reason)))


@router.post(
    "/experiments/{name}/ramp", response_model=ExperimentBody, responses=documented(400, 404, 409, 413, 422, 503)
)
async def ramp_experiment(request: Request, name: Name, body: RampRequest) -> Response:
    """Let more users take part, or roll out further; nobody loses the variant they have."""
    live, actor = experiments_of(request), actor_of(request.scope)
    return json_answer(described(await asyncio.to_thread(live.ramp, name, body.share, actor)))


@router.get("/drift", response_model=DriftBody)
async def drift(request: Request) -> Response:
    """How what is served compares with what the bundle went out with, furthest first."""
    return json_answer(await asyncio.to_thread(drift_of(request).described))
