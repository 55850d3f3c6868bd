"""`/bundles`: which there are, which answers, and which answers unseen."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from savor.api.bundle_bodies import BundlesResponse, ShadowRequest, ShadowResponse, SwitchedResponse
from savor.api.context import engines_of, json_answer, live_or_none, shadow_of
from savor.api.problems import documented
from savor.api.security import actor_of
from savor.core.errors import SavorError
from savor.online.stores.errors import StoreAwayError

router = APIRouter(tags=["bundles"])


@router.get("/bundles", response_model=BundlesResponse, responses=documented(503))
async def bundles(request: Request) -> Response:
    """The bundles of the registry, newest first, and the one that is served."""
    engines = engines_of(request)
    registry = engines.registry
    listings = await asyncio.to_thread(registry.list) if registry is not None else []
    return json_answer(
        {
            "current": engines.engine.bundle_id,
            "previous": engines.previous_id,
            "channel": engines.channel,
            "problem": engines.problem or None,
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


@router.post("/bundles/rollback", response_model=SwitchedResponse, responses=documented(409, 422, 503))
async def rollback(request: Request) -> Response:
    """Serve the bundle before, at once where it is in memory still; every server of the channel follows."""
    engines = engines_of(request)
    bundle, before = await asyncio.to_thread(engines.rollback)
    await _audit(request, "bundle.rollback", bundle, {"before": before})
    return json_answer({"bundle": bundle, "previous": before, "channel": engines.channel})


@router.get("/bundles/shadow", response_model=ShadowResponse, responses=documented(409, 503))
async def show_shadow(request: Request) -> Response:
    """How the bundle that answers unseen compares with the one that is served."""
    return json_answer(shadow_of(request).report())


@router.put("/bundles/shadow", response_model=ShadowResponse, responses=documented(400, 404, 409, 413, 422, 503))
async def put_shadow(request: Request, body: ShadowRequest) -> Response:
    """Let a bundle answer a share of the requests unseen; every server loads it within seconds."""
    shadow = shadow_of(request)
    registry = shadow.engines.registry
    assert registry is not None
    await asyncio.to_thread(registry.activate, body.bundle, channel=shadow.channel)
    await _audit(request, "bundle.shadow", body.bundle, {})
    return json_answer(shadow.report())


@router.delete("/bundles/shadow", response_model=ShadowResponse, responses=documented(409, 503))
async def delete_shadow(request: Request) -> Response:
    """Let no bundle answer unseen."""
    shadow = shadow_of(request)
    registry = shadow.engines.registry
    assert registry is not None
    if await asyncio.to_thread(registry.clear, shadow.channel):
        await _audit(request, "bundle.shadow", "", {})
    return json_answer(shadow.report())


@router.post("/bundles/{bundle_id}/activate", response_model=SwitchedResponse, responses=documented(404, 409, 422, 503))
async def activate(
    request: Request, bundle_id: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="Id of the bundle.")]
) -> Response:
    """Serve a bundle of the registry; it is loaded and run once before, and every server of the channel follows."""
    engines = engines_of(request)
    before = await asyncio.to_thread(engines.activate, bundle_id)
    if before is not None:
        await _audit(request, "bundle.activate", bundle_id, {"before": before})
    return json_answer({"bundle": bundle_id, "previous": before, "channel": engines.channel})


async def _audit(request: Request, action: str, subject: str, detail: dict[str, Any]) -> None:
    """Write down what was done; where the store is away it was done all the same."""
    live = live_or_none(request)
    if live is None:
        return
    actor = actor_of(request.scope)
    try:
        await live.call(lambda: live.stores.audit.record(actor, action, subject, detail))
    except (StoreAwayError, SavorError):
        return
