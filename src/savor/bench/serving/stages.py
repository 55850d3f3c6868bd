"""Time by stage, measured in a process that holds nothing but what a server holds."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.api.engine import Engine
from savor.api.requests import RecommendationRequest
from savor.api.serve import load_engine
from savor.core.errors import SavorError
from savor.index.choose import open_index
from savor.pipeline.query import Query
from savor.pipeline.vector_search import VectorSearch

WARM = 50
RETRIEVED = 200
"""How many items retrieval is measured for."""


def stages_of(registry: Path, requests: int) -> dict[str, Any]:
    """Measure the live bundle of `registry` in a new process.

    Raises:
        SavorError: it failed; what it said is in the message.
    """
    command = [sys.executable, "-m", "savor.bench.serving.stages", str(registry), str(requests)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise SavorError(f"the stages could not be measured: {done.stderr[-1000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure_stages(registry: Path, requests: int) -> dict[str, Any]:
    """The figures, in microseconds.

    Returns:
        `stages` (median by stage), `pipeline_p50`, `pipeline_cpu` and `engine_cpu` (mean processor time of the stages
        alone and with parsing and encoding), `ranked` (mean number of candidates), and `retrieval`.
    """
    engine = load_engine(registry)
    users = [user for user, _ in engine.serving.states.sample(500)]
    stages: dict[str, list[int]] = {}
    whole: list[int] = []
    ranked: list[int] = []
    begun = time.process_time()
    vectors: list[NDArray[np.float32]] = []
    for number in range(WARM + requests):
        if number == WARM:
            begun = time.process_time()
        query = Query(user_id=users[number % len(users)], now=engine.serving.clock())
        started = time.perf_counter_ns()
        result = engine.serving.pipeline.run(query)
        taken = time.perf_counter_ns() - started
        if number < WARM:
            continue
        whole.append(taken)
        ranked.append(result.trace.ranked)
        for name, nanoseconds in result.trace.timings.items():
            stages.setdefault(name, []).append(nanoseconds)
        if len(vectors) < 100 and "user_vector" in result.hydrated:
            vectors.append(result.hydrated["user_vector"])
    pipeline_cpu = (time.process_time() - begun) / requests
    return {
        "stages": {name: _micro(np.median(values)) for name, values in stages.items()},
        "pipeline_p50": _micro(np.median(whole)),
        "pipeline_cpu": _micro(pipeline_cpu * 1e9),
        "engine_cpu": _micro(_engine_cpu(engine, users, requests) * 1e9),
        "ranked": round(float(np.mean(ranked)), 1),
        "retrieval": _retrieval(engine, vectors),
    }


def _engine_cpu(engine: Engine, users: list[str], requests: int) -> float:
    bodies = [orjson.dumps({"user_id": user, "num_recommendations": 10}) for user in users]
    begun = time.process_time()
    for number in range(requests):
        body = RecommendationRequest.model_validate_json(bodies[number % len(bodies)])
        orjson.dumps(engine.recommend(body)[0], option=orjson.OPT_NON_STR_KEYS)
    return (time.process_time() - begun) / requests


def _retrieval(engine: Engine, queries: list[NDArray[np.float32]]) -> dict[str, Any] | None:
    """The index alone and as the pipeline asks it, and what it misses; None where the bundle has no index."""
    bundle = engine.serving.bundle
    if not queries or not bundle.has("index"):
        return None
    index = open_index(bundle.path("index"))
    vectors = np.asarray(np.load(bundle.path("vectors/items.npy"), mmap_mode="r", allow_pickle=False))
    search, eligible = VectorSearch(index, vectors), np.ones(len(vectors), np.bool_)
    k = min(RETRIEVED, len(vectors))
    bare, asked, hits = [], [], 0
    for repeat in range(3):
        for query in queries:
            started = time.perf_counter_ns()
            index.search(query[None, :], k)
            middle = time.perf_counter_ns()
            found = search.nearest(query, k, eligible)
            ended = time.perf_counter_ns()
            if repeat:
                bare.append(middle - started)
                asked.append(ended - middle)
            else:
                scores = vectors @ query
                limit = np.partition(scores, len(scores) - k)[len(scores) - k]
                hits += int((scores[found.item] >= limit).sum())
    return {
        "k": k,
        "index_p50": _micro(np.median(bare)),
        "search_p50": _micro(np.median(asked)),
        "recall": round(hits / (k * len(queries)), 5),
    }


def _micro(nanoseconds: Any) -> float:
    return round(float(nanoseconds) * 1e-3, 1)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure_stages(Path(sys.argv[1]), int(sys.argv[2]))))
