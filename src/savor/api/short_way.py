"""The short way for the call that is made most."""

from time import perf_counter
from types import SimpleNamespace
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from savor.api.engine import Engine
from savor.api.recommending import recommended_beside
from savor.api.requests import RecommendationRequest
from savor.core.errors import SavorError

PATH = "/recommendations"
_ROUTE = SimpleNamespace(path=PATH)


class ShortWay:
    """Answers `POST /recommendations` without routing, dependencies and response models.

    What is not plain (another content type, a body with anything wrong in it, a call that cannot be answered) is given
    on as it came, so that there is one place that says what is wrong and the answers are the same on both ways.

    Args:
        app: everything else.
        state: of the application.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app, self._state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        engine = self._state.engine
        plain = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST"
        if not plain or not isinstance(engine, Engine) or not _is_json(scope):
            await self._app(scope, receive, send)
            return
        read: list[Message] = []
        content = b""
        while True:
            message = await receive()
            read.append(message)
            content += message.get("body", b"")
            if not message.get("more_body", False):
                break
        started = perf_counter()
        try:
            body = RecommendationRequest.model_validate_json(content)
            answer, _ = await recommended_beside(self._state, engine, body)
        except (ValidationError, SavorError):
            await self._app(scope, _again(read, receive), send)
            return
        if (shadow := self._state.shadow) is not None:
            shadow.observe(body, answer, perf_counter() - started)
        encoded = orjson.dumps(answer, option=orjson.OPT_NON_STR_KEYS)
        scope["route"] = _ROUTE
        headers = [(b"content-length", str(len(encoded)).encode()), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": encoded})


def _again(read: list[Message], receive: Receive) -> Receive:
    """What was read already, and then the rest."""
    waiting = iter(read)

    async def give() -> Message:
        return next(waiting, None) or await receive()

    return give


def _is_json(scope: Scope) -> bool:
    given: Any = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return bool(given.partition(b";")[0].strip().lower() == b"application/json")
