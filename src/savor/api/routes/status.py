"""`GET /health`, `/ready`, `/metrics` and `/bundles`."""

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from savor.api.context import engine_of, json_answer, metrics_of
from savor.api.problems import documented
from savor.api.responses import Status

router = APIRouter(tags=["status"])


@router.get("/health", response_model=Status)
async def health() -> Response:
    """Whether the process lives."""
    return json_answer({"status": "ok"})


@router.get("/ready", response_model=Status, responses=documented(503))
async def ready(request: Request) -> Response:
    """Whether a bundle is loaded and can answer."""
    return json_answer({"status": "ready", "bundle": engine_of(request).bundle_id})


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    return Response(metrics_of(request).text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/bundles", response_model=dict[str, Any], responses=documented(503))
async def bundles(request: Request) -> Response:
    """The bundles of the registry, newest first, and the one that is served."""
    engine = engine_of(request)
    listings = engine.registry.list() if engine.registry is not None else []
    return json_answer(
        {
            "current": engine.bundle_id,
            "bundles": [
                {
                    "id": listing.id,
                    "created": listing.created,
                    "size": listing.size,
                    "channels": list(listing.channels),
                    "problem": listing.problem,
                }
                for listing in listings
            ],
        }
    )
