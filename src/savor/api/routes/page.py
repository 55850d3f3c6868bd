"""The page at `/`, and what it asks for."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from re import DOTALL, search
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from savor.api.context import engine_of, json_answer
from savor.api.identifiers import LONGEST
from savor.api.people import history, users
from savor.api.problems import documented

router = APIRouter(tags=["page"])


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """One page to look at customers and what they are recommended."""
    html, policy = _page()
    return Response(html, media_type="text/html", headers={"content-security-policy": policy})


@cache
def _page() -> tuple[str, str]:
    """The page, and a policy that lets its own script and style run and nothing else."""
    html = files("savor.api").joinpath("page", "index.html").read_text(encoding="utf-8")
    rules = ["default-src 'none'", "connect-src 'self'", "img-src data:", "base-uri 'none'", "frame-ancestors 'none'"]
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        content = search(f"<{tag}>(.*?)</{tag}>", html, DOTALL)
        digest = b64encode(sha256(content.group(1).encode() if content else b"").digest()).decode()
        rules.append(f"{rule} 'sha256-{digest}'")
    return html, "; ".join(rules)


@router.get("/users", response_model=dict[str, Any], responses=documented(422, 503))
async def list_users(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 30,
    search: Annotated[str, Query(max_length=LONGEST)] = "",
) -> Response:
    """Some users to choose from."""
    return json_answer(users(engine_of(request).serving, limit, search))


@router.get("/users/{user_id:path}/history", response_model=dict[str, Any], responses=documented(404, 422, 503))
async def user_history(
    request: Request,
    user_id: Annotated[str, Path(min_length=1, max_length=LONGEST)],
    visits: Annotated[int, Query(ge=1, le=1000)] = 40,
) -> Response:
    """A user's profile and last visits."""
    return json_answer(history(engine_of(request).serving, user_id, visits))
