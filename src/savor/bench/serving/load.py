"""Requests over several connections, each sending its next as soon as it has the answer to the one before."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Load:
    """What a number of connections saw.

    Attributes:
        connections: how many there were.
        seconds: how long it took.
        milliseconds: (n,) time of every answer.
        failed: number of answers whose status was not 2xx, and of connections that broke.
        first_failure: the first of them.
    """

    connections: int
    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0
    first_failure: str = ""

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.milliseconds) / max(self.seconds, 1e-9)

    def quantile(self, q: float) -> float:
        """Milliseconds that a share `q` of the answers took at most; NaN where there were none."""
        return float(np.quantile(self.milliseconds, q)) if self.milliseconds else float("nan")


def http_request(method: str, path: str, body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send_load(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, *, pause: float = 0.0
) -> Load:
    """Send `requests` again and again, every connection from another place on.

    Args:
        port: of the server on this machine.
        requests: as `http_request` makes them.
        connections: how many.
        seconds: for so long.
        pause: seconds that a connection waits after an answer.
    """
    load = Load(connections)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    until = started + seconds
    finished = []
    for number in range(connections):
        first = number * len(requests) // connections
        _, protocol = await loop.create_connection(
            lambda first=first: _Connection(load, requests, first, until, pause),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        finished.append(protocol.finished)
    await asyncio.gather(*finished)
    load.seconds = time.perf_counter() - started
    return load


class _Connection(asyncio.Protocol):
    """One connection; reads no more of an answer than its status and its end."""

    def __init__(self, load: Load, requests: Sequence[bytes], first: int, until: float, pause: float) -> None:
        self._load, self._requests, self._next = load, requests, first
        self._until, self._pause = until, pause
        self._received = b""
        self._loop = asyncio.get_running_loop()
        self.finished = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        head = received.find(b"\r\n\r\n")
        if head < 0:
            return
        at = received.lower().find(b"content-length:", 0, head)
        length = int(received[at + 15 : received.find(b"\r\n", at)]) if at >= 0 else 0
        if len(received) < head + 4 + length:
            return
        now = time.perf_counter()
        self._received = b""
        self._load.milliseconds.append((now - self._sent) * 1e3)
        if received[9:10] != b"2":
            self._fail(received[: head + 4 + length].decode("utf-8", "replace"))
        if now >= self._until:
            self._end()
        elif self._pause:
            self._loop.call_later(self._pause, self._send)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self._fail(f"the connection broke ({exc})")
            self.finished.set_result(None)

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        if time.perf_counter() >= self._until:
            self._end()
            return
        request = self._requests[self._next % len(self._requests)]
        self._next += 1
        self._sent = time.perf_counter()
        self._transport.write(request)

    def _end(self) -> None:
        if not self.finished.done():
            self.finished.set_result(None)
        self._transport.close()

    def _fail(self, what: str) -> None:
        self._load.failed += 1
        self._load.first_failure = self._load.first_failure or what[:500]
