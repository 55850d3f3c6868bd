"""`PUT`, `GET` and `DELETE /users/{user_id}`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError

from savor.api.context import engine_of, json_answer, live_of
from savor.api.identifiers import PathIdentifier
from savor.api.live import Live
from savor.api.live_requests import UserBody
from savor.api.live_responses import UserRemoved, UserResponse
from savor.api.problems import documented
from savor.core.errors import SavorError
from savor.features.columns import Columns
from savor.features.profiles import UserProfile
from savor.online.live_states import LiveStates
from savor.pipeline.build import Serving

router = APIRouter(tags=["live state"])
UserId = Annotated[PathIdentifier, Path()]


@router.put("/users/{user_id:path}", response_model=UserResponse, responses=documented(400, 404, 413, 422, 503))
async def put_user(request: Request, user_id: UserId, body: UserBody) -> Response:
    """Say what is known of a user, in the place of what was said before; the next recommendation goes by it.

    Columns that are left out stay as the bundle knows them.
    """
    live, serving = live_of(request), engine_of(request).serving
    said = _checked(body.root, serving.states.columns)
    await live.call(lambda: _put(live, user_id, said))
    return json_answer(_shown(live, serving, user_id))


@router.get("/users/{user_id:path}", response_model=UserResponse, responses=documented(404, 422, 503))
async def get_user(request: Request, user_id: UserId) -> Response:
    """What is known of a user."""
    live, serving = live_of(request), engine_of(request).serving
    if user_id not in serving.states:
        raise SavorError("nothing is known of this user", code="user_unknown")
    return json_answer(_shown(live, serving, user_id))


@router.delete("/users/{user_id:path}", response_model=UserRemoved, responses=documented(404, 422, 503))
async def delete_user(request: Request, user_id: UserId) -> Response:
    """Take a user out of what is served: profile and history count no more. `savor erase` removes the data as well."""
    live, serving = live_of(request), engine_of(request).serving
    there = user_id in serving.states
    if there:
        await live.call(lambda: _put(live, user_id, None))
    return json_answer({"user_id": user_id, "removed": there})


def _put(live: Live, user_id: str, said: dict[str, Any] | None) -> None:
    live.stores.entities.put("user", {user_id: said})
    live.feed.changed()


def _checked(said: dict[str, Any], columns: Columns) -> dict[str, Any]:
    """The same, with whole numbers as texts where a category is meant.

    Raises:
        RequestValidationError: naming every column that is unknown or of another type.
    """
    known = {**columns.categories, **columns.tags, **columns.numerics}
    checked: dict[str, Any] = {}
    wrong = []
    for name, value in said.items():
        problem = None
        if name not in known:
            problem = f"the user table has no such column; it has {', '.join(known) or 'none'}"
        elif value is None:
            checked[name] = None
        elif name in columns.tags:
            problem = None if isinstance(value, list) else "must be a list of texts"
            checked[name] = value
        elif name in columns.numerics:
            problem = None if isinstance(value, int | float) and abs(value) < 1e38 else "must be a number"
            checked[name] = value
        elif isinstance(value, str | int):
            checked[name] = str(value)
        else:
            problem = "must be a text"
        if problem:
            wrong.append({"type": "value_error", "loc": ("body", name), "msg": problem})
    if wrong:
        raise RequestValidationError(wrong)
    return checked


def _shown(live: Live, serving: Serving, user_id: str) -> dict[str, Any]:
    states = serving.states
    state = states.at(user_id, serving.clock())
    entity = live.feed.profile(live.feed.resolve(user_id))
    return {
        "user_id": user_id,
        "attributes": attributes(state.profile),
        "in_bundle": states.in_bundle(user_id),
        "changed": None if entity is None or entity.document is None else entity.changed,
        "events": states.live_events(user_id) if isinstance(states, LiveStates) else 0,
        "fallback": f"live_state_partial: {state.problem}" if state.problem else None,
    }


def attributes(profile: UserProfile) -> dict[str, Any]:
    """A profile as JSON values; null where unknown."""
    numerics = {name: None if value != value else value for name, value in profile.numerics.items()}
    return {
        **{name: value or None for name, value in profile.categories.items()},
        **{name: list(values) for name, values in profile.tags.items()},
        **numerics,
    }
