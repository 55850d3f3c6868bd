"""`POST /visitors` and `POST /visitors/{visitor_id}/merge`."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from savor.api.context import json_answer, live_of
from savor.api.identifiers import PathIdentifier
from savor.api.live_requests import MergeBody
from savor.api.live_responses import MergeResponse, VisitorResponse
from savor.api.problems import documented
from savor.online.visitor_ids import new_visitor_id

router = APIRouter(tags=["live state"])


@router.post("/visitors", response_model=VisitorResponse)
async def new_visitor() -> Response:
    """An id for somebody who has not said who they are: use it as `user_id`, and merge it when they do."""
    return json_answer({"visitor_id": new_visitor_id()})


@router.post(
    "/visitors/{visitor_id}/merge", response_model=MergeResponse, responses=documented(400, 404, 409, 413, 422, 503)
)
async def merge(
    request: Request,
    visitor_id: Annotated[PathIdentifier, Path(pattern=r"^visitor-[^/]+$")],
    body: MergeBody,
) -> Response:
    """Count everything that the visitor did and will do for a user; doing it again changes nothing."""
    live = live_of(request)
    user_id = str(body.user_id)

    def work() -> bool:
        changed = live.stores.identities.merge(visitor_id, user_id)
        live.feed.merged(visitor_id, user_id)
        return changed

    merged = await live.call(work)
    return json_answer({"visitor_id": visitor_id, "user_id": body.user_id, "merged": merged})
