"""A route that reads its body straight into its model."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError

from savor.api.requests import RequestBody

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class DirectRoute(APIRoute):
    """As FastAPI's, and documented as that is, for an endpoint `(request, body)` that makes its own answer.

    The body is parsed and checked in one step, and nothing is looked for that such an endpoint cannot ask for; other
    endpoints, and bodies with anything wrong in them, are served as ever.
    """

    def get_route_handler(self) -> Handler:
        """See `APIRoute.get_route_handler`."""
        usual = super().get_route_handler()
        parameters = list(inspect.signature(self.endpoint).parameters.values())
        if [one.name for one in parameters] != ["request", "body"]:
            return usual
        model, endpoint = parameters[1].annotation, self.endpoint
        if not issubclass(model, RequestBody):
            return usual

        async def handle(request: Request) -> Response:
            content = await request.body()
            if not content or not _is_json(request.headers.get("content-type")):
                return await usual(request)
            try:
                body = model.model_validate_json(content)
            except ValidationError:
                return await usual(request)
            answer: Response = await endpoint(request, body)
            return answer

        return handle


def _is_json(content_type: str | None) -> bool:
    return content_type is not None and content_type.partition(";")[0].strip().lower() == "application/json"
