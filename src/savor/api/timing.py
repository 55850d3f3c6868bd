"""Counting and timing every answer."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from savor.api.metrics import Metrics


class Timing:
    """Tells `metrics` route, status and time of each answer, and the caller in `server-timing`."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 500

        async def timed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                total = f"total;dur={1e3 * (perf_counter() - started):.2f}".encode()
                message = {**message, "headers": [*message["headers"], (b"server-timing", total)]}
            await send(message)

        try:
            await self._app(scope, receive, timed)
        finally:
            route = scope.get("route")
            self._metrics.answered(getattr(route, "path", "unmatched"), status, perf_counter() - started)
