"""HTTP that gives up at a deadline, even where the other side keeps sending."""

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import httpx2

from savor.assistant.providers.in_time import Outlet

WAITING: ContextVar[Outlet[Any] | None] = ContextVar("savor_waiting", default=None)
"""Who waits for the call that this thread makes."""

_MOST_BYTES = 16 * 2**20


class DeadlineTransport(httpx2.BaseTransport):
    """Ends an answer whose caller is gone, or that is larger than 16 MiB, with the next bytes that come."""

    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport(limits=httpx2.Limits(max_connections=64, keepalive_expiry=30.0))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send, and give the answer with its bytes watched."""
        response = self._inner.handle_request(request)
        outlet = WAITING.get()
        if outlet is None:
            return response
        assert isinstance(response.stream, httpx2.SyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Watched(response.stream, outlet, request),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()


class _Watched(httpx2.SyncByteStream):
    def __init__(self, inner: httpx2.SyncByteStream, outlet: Outlet[Any], request: httpx2.Request) -> None:
        self._inner, self._outlet, self._request = inner, outlet, request

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._inner:
            size += len(part)
            if self._outlet.stopped:
                raise httpx2.ReadTimeout("nobody waits any more", request=self._request)
            if size > _MOST_BYTES:
                raise httpx2.ReadError("the answer is too large", request=self._request)
            yield part

    def close(self) -> None:
        self._inner.close()
