import asyncio
import json

import numpy as np
import pytest

from savor.api.serve import load_engine
from savor.bench.serving.entry import LoadEntry, ServingEntry, SizeEntry
from savor.bench.serving.load import http_request, send_load
from savor.bench.serving.made_project import made_project
from savor.bench.serving.measure import ServingPlan, measure_serving
from savor.bench.serving.stages import measure_stages
from savor.bench.serving.table import append_serving, serving_table
from savor.bundle.registry import Registry
from savor.core.folders import ProjectFolder
from savor.pipeline.query import Query
from tests.synthetic_bundle import made_shop

ITEMS = 150


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return made_shop(tmp_path_factory.mktemp("serving-shop"))


@pytest.fixture(scope="module")
def made(shop, tmp_path_factory):
    return made_project(shop, ITEMS, 40, tmp_path_factory.mktemp("serving-work"))


def test_a_made_catalogue_holds_the_items_and_copies_of_them(shop, made) -> None:
    serving = load_engine(made.registry).serving
    ids = serving.catalogue.ids
    assert len(ids) == len(set(ids)) == ITEMS
    vectors = np.load(serving.bundle.path("vectors/items.npy"))
    original = np.load(shop.path("vectors/items.npy"))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    catalogue = load_engine_catalogue(shop)
    for row, identifier in enumerate(ids):
        source = catalogue.index[identifier.partition("-copy-")[0]]
        likeness = float(vectors[row] @ original[source])
        assert likeness == pytest.approx(1, abs=1e-5) if "-copy-" not in identifier else 0.7 < likeness < 1


def load_engine_catalogue(bundle):
    from savor.features.catalogue import Catalogue

    return Catalogue.load(bundle.path("catalogue"))


def test_histories_point_to_the_same_items(shop, made) -> None:
    serving, catalogue = load_engine(made.registry).serving, load_engine_catalogue(shop)
    before = np.load(shop.path("state/histories/item.npy"))
    after = np.load(serving.bundle.path("state/histories/item.npy"))
    assert [catalogue.ids[row] for row in before] == [serving.catalogue.ids[row] for row in after]


def test_a_smaller_catalogue_answers_too(shop, tmp_path) -> None:
    folder = made_project(shop, 25, 20, tmp_path)
    serving = load_engine(folder.registry).serving
    assert len(serving.catalogue) == 25
    user = serving.states.sample(1)[0][0]
    assert len(serving.pipeline.run(Query(user, serving.clock())).items) == 10


def test_it_is_made_once(shop, made) -> None:
    moment = (made.registry / "channels" / "live.json").stat().st_mtime_ns
    again = made_project(shop, ITEMS, 40, made.root.parent)
    assert again == made
    assert (made.registry / "channels" / "live.json").stat().st_mtime_ns == moment
    assert len(Registry(made.registry).list()) == 2


def test_stages_are_measured(made) -> None:
    found = measure_stages(made.registry, 20)
    assert {"user", "ann", "ranker", "reasons"} <= found["stages"].keys()
    assert all(value > 0 for value in found["stages"].values())
    assert found["retrieval"]["recall"] == 1
    assert found["ranked"] > 10


@pytest.mark.parametrize("connections", [1, 3])
def test_every_answer_is_counted_and_failures_are_told(connections: int) -> None:
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            asked.append(body)
            content = b"x" * 70_000
            status = b"503 away" if body["bad"] else b"200 fine"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(content))
            writer.write(content)
            await writer.drain()

    async def handled(reader, writer) -> None:
        try:
            await answer(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()

    async def run():
        server = await asyncio.start_server(handled, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        requests = [http_request("POST", "/it", json.dumps({"bad": bad}).encode()) for bad in (False, True)]
        load = await send_load(port, requests, connections, 0.2)
        server.close()
        return load

    load = asyncio.run(run())
    assert len(load.milliseconds) == len(asked) >= connections
    assert load.failed == sum(body["bad"] for body in asked)
    assert not load.failed or "503 away" in load.first_failure


def entry() -> ServingEntry:
    load = LoadEntry(connections=1, answers=10, failed=0, per_second=500, p50=2, p95=3, p99=4, cpu=1.5)
    many = load.model_copy(update={"connections": 16, "p50": 3.0, "per_second": 900.0})
    size = SizeEntry(
        items=100_000,
        start_seconds=2,
        megabytes=300,
        loads=(load, many),
        ranked=200,
        stages={"ann": 120.0, "ranker": 300.4},
        pipeline_p50=900,
        pipeline_cpu=950,
        engine_cpu=1000,
        retrieval={"k": 200, "index_p50": 100.0, "search_p50": 110.0, "recall": 0.995},
        mixed={"recommendations": many.model_copy(update={"p99": 8.0, "failed": 2})},
    )
    larger = size.model_copy(
        update={"items": 1_000_000, "loads": (load.model_copy(update={"p50": 2.4}), many), "mixed": {}}
    )
    return ServingEntry(
        at="2026-01-01 00:00",
        command="savor bench serve",
        source="abc",
        candidates=200,
        seconds=5,
        machine={"processors": 2, "memory_gib": 4, "architecture": "x86_64", "python": "3.11"},
        versions={},
        sizes=(size, larger),
    )


def row(lines: list[str], name: str) -> list[str]:
    (line,) = [line for line in lines if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_the_table_shows_figures_beside_par_and_goal() -> None:
    lines = serving_table(entry())
    assert row(lines, "1 connection, p50") == ["2.00 ms", "2.40 ms", "3.35 ms, retrieval alone", "≤ 1.5 ms at 100,000"]
    assert row(lines, "1 connection, p50 against 100,000 items")[:2] == ["1.00 ×", "1.20 ×"]
    assert row(lines, "16 connections")[:2] == ["900/s", "900/s"]
    assert row(lines, "retrieval of 200, against the index alone")[0] == "1.10 × 0.10 ms"
    assert row(lines, "failed answers")[:2] == ["2", "–"]
    assert row(lines, "p99 meanwhile against without")[0] == "2.00 ×"
    assert row(lines, "ranker") == ["300", "300"]


def test_the_log_holds_the_run(tmp_path) -> None:
    path = tmp_path / "benchmarks" / "LOG.md"
    append_serving(path, entry())
    append_serving(path, entry())
    text = path.read_text(encoding="utf-8")
    blocks = text.split("```json serving\n")[1:]
    assert [ServingEntry.model_validate_json(block.split("\n```")[0]) for block in blocks] == [entry(), entry()]
    assert text.count("## 2026-01-01 00:00 serving") == 2


@pytest.mark.slow
def test_a_whole_run(shop, tmp_path) -> None:
    project = ProjectFolder(tmp_path / "project")
    registry = Registry(project.registry)
    registry.publish(shop.directory)
    plan = ServingPlan(items=(ITEMS,), connections=(1, 2), seconds=0.5, candidates=40)
    found = measure_serving(project, tmp_path / "work", plan, "savor bench serve")
    (size,) = found.sizes
    assert [load.connections for load in size.loads] == [1, 2]
    assert all(load.answers > 0 and load.failed == 0 for load in size.loads)
    assert size.start_seconds > 0
    assert ServingEntry.model_validate_json(found.model_dump_json()) == found
