"""One run of `savor bench serve`."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from savor.bench.machine import machine, versions
from savor.bench.serving.entry import LoadEntry, ServingEntry, SizeEntry
from savor.bench.serving.load import Load, http_request, send_load
from savor.bench.serving.made_project import made_project
from savor.bench.serving.server import Server, running_server
from savor.bench.serving.stages import stages_of
from savor.bundle.registry import Registry
from savor.core.folders import ProjectFolder
from savor.core.progress import progress
from savor.online.user_states import UserStates

WARM_SECONDS = 1.0
STAGE_REQUESTS = 400
USERS = 500


@dataclass(frozen=True)
class ServingPlan:
    """What to measure.

    Attributes:
        items: sizes of catalogues.
        connections: numbers of connections.
        seconds: of load for each of them.
        candidates: how many shall be ranked, about.
        events: whether a client posts events meanwhile.
        swap_every: seconds after which the other bundle is switched to, again and again; None: never.
    """

    items: tuple[int, ...]
    connections: tuple[int, ...]
    seconds: float
    candidates: int
    events: bool = False
    swap_every: float | None = None


def measure_serving(project: ProjectFolder, work: Path, plan: ServingPlan, command: str) -> ServingEntry:
    """Make the projects, start a server on each, and measure.

    Args:
        project: its live bundle is what catalogues are made from.
        work: folder for what is made.
        plan: what to measure.
        command: how it was asked for.

    Raises:
        BundleError: nothing is published.
        SavorError: a server did not start.
    """
    source = Registry(project.registry).open()
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    sizes = []
    for items in plan.items:
        with progress(f"Make a catalogue of {items:,} items"):
            folder = made_project(source, items, plan.candidates, work)
        with progress(f"Measure the stages at {items:,} items"):
            stages = stages_of(folder.registry, STAGE_REQUESTS)
        with progress(f"Serve {items:,} items"), _apart() as processor, running_server(folder, processor) as server:
            sizes.append(_measure(server, folder, items, plan, stages))
    return ServingEntry(
        at=at,
        command=command,
        source=source.id,
        candidates=plan.candidates,
        seconds=plan.seconds,
        machine=machine(),
        versions=versions(),
        sizes=tuple(sizes),
    )


def _measure(server: Server, folder: ProjectFolder, items: int, plan: ServingPlan, stages: dict[str, Any]) -> SizeEntry:
    states = UserStates.load(Registry(folder.registry).open(verify=False).path("state"))
    users = [user for user, _ in states.sample(USERS)]
    questions = [
        http_request("POST", "/recommendations", orjson.dumps({"user_id": user, "num_recommendations": 10}))
        for user in users
    ]
    asyncio.run(send_load(server.port, questions, 1, WARM_SECONDS))
    loads = []
    for connections in plan.connections:
        before = server.cpu_seconds()
        load = asyncio.run(send_load(server.port, questions, connections, plan.seconds))
        loads.append(_entry(load, server.cpu_seconds() - before))
    mixed: dict[str, LoadEntry] = {}
    if plan.events or plan.swap_every is not None:
        before = server.cpu_seconds()
        beside = asyncio.run(_mixed(server, folder, users, questions, max(plan.connections), plan))
        cpu = server.cpu_seconds() - before
        mixed = {name: _entry(load, cpu if name == "recommendations" else None) for name, load in beside.items()}
    return SizeEntry(
        items=items,
        start_seconds=round(server.start_seconds, 2),
        megabytes=round(server.megabytes()),
        loads=tuple(loads),
        mixed=mixed,
        **stages,
    )


async def _mixed(
    server: Server,
    folder: ProjectFolder,
    users: Sequence[str],
    questions: Sequence[bytes],
    most: int,
    plan: ServingPlan,
) -> dict[str, Load]:
    """Recommendations, and beside them events and swaps, each over connections of their own."""
    running = {"recommendations": send_load(server.port, questions, most, plan.seconds)}
    if plan.events:
        _, found = server.ask("POST", "/recommendations", {"user_id": users[0], "num_recommendations": 100})
        shown = [one["item_id"] for one in found["recommendations"]]
        prefix = f"bench-{os.getpid()}"
        events = [
            http_request(
                "POST",
                "/events",
                orjson.dumps(
                    {
                        "event_id": f"{prefix}-{number}",
                        "user_id": users[number % len(users)],
                        "item_id": shown[number % len(shown)],
                        "kind": "purchase",
                    }
                ),
            )
            for number in range(100_000)
        ]
        running["events"] = send_load(server.port, events, 1, plan.seconds, pause=0.02)
    if plan.swap_every is not None:
        swaps = [
            http_request("POST", f"/bundles/{listing.id}/activate", b"{}")
            for listing in sorted(Registry(folder.registry).list(), key=lambda one: one.channels)
        ]
        running["swaps"] = send_load(server.port, swaps, 1, plan.seconds, pause=plan.swap_every)
    return dict(zip(running, await asyncio.gather(*running.values()), strict=True))


def _entry(load: Load, cpu: float | None) -> LoadEntry:
    answers = len(load.milliseconds)
    return LoadEntry(
        connections=load.connections,
        answers=answers,
        failed=load.failed,
        first_failure=load.first_failure,
        per_second=round(load.per_second, 1),
        p50=_rounded(load.quantile(0.5)),
        p95=_rounded(load.quantile(0.95)),
        p99=_rounded(load.quantile(0.99)),
        cpu=None if cpu is None or not answers else round(cpu / answers * 1e3, 4),
    )


def _rounded(milliseconds: float) -> float | None:
    return round(milliseconds, 3) if milliseconds == milliseconds else None


@contextmanager
def _apart() -> Iterator[int | None]:
    """Keep this process off one processor, and give that one; None where there is only one, or no way."""
    if not hasattr(os, "sched_getaffinity"):
        yield None
        return
    allowed = os.sched_getaffinity(0)
    if len(allowed) == 1:
        yield None
        return
    served = max(allowed)
    os.sched_setaffinity(0, allowed - {served})
    try:
        yield served
    finally:
        os.sched_setaffinity(0, allowed)
