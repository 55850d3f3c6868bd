"""`GET /health`, `/ready` and `/metrics`."""

import asyncio

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from savor.api.context import engine_of, engines_of, json_answer, metrics_of
from savor.api.problems import documented
from savor.api.responses import Status

router = APIRouter(tags=["status"])


@router.get("/health", response_model=Status)
async def health() -> Response:
    """Whether the process lives."""
    return json_answer({"status": "ok"})


@router.get("/ready", response_model=Status, responses=documented(503))
async def ready(request: Request) -> Response:
    """Whether a bundle is loaded and can answer; `problem` says why it is not the newest, or not all of it."""
    engines = engines_of(request)
    live = request.app.state.live
    problems = [engines.problem, engines.items_problem, live.problem() if live is not None else ""]
    return json_answer(
        {
            "status": "ready",
            "bundle": engine_of(request).bundle_id,
            "problem": "; ".join(problem for problem in problems if problem) or None,
        }
    )


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    text = await asyncio.to_thread(metrics_of(request).text)  # asks the stores how they are
    return Response(text, media_type=CONTENT_TYPE_LATEST)
