"""The small shop as an MCP server, asked by the official client."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import uvicorn

from savor.api.agents.mcp_http import mcp_application
from savor.api.app import create_app
from savor.api.live import Live
from savor.api.security import Access
from savor.api.serve import load_engine
from savor.online.stores.options import StoreOptions

Found = TypeVar("Found")
PATIENCE = 180


@contextmanager
def mcp_over_http(registry_directory, project, access: Access) -> Iterator[tuple[str, Live]]:
    """The address of `/mcp` on a server of its own, and its live state."""
    live = Live.open(StoreOptions(), project)
    app = create_app(load_engine(registry_directory, over_states=live.over), live=live, access=access)
    served = mcp_application(app, access, live.stores)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(served, host="127.0.0.1", port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 60
        while not server.started and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.02)
        assert server.started
        yield f"http://127.0.0.1:{port}/mcp", live
    finally:
        server.should_exit = True
        thread.join(30)


def ask(server: Any, work: Callable[[Any], Awaitable[Found]], mode: str = "auto") -> Found:
    """Let a real client connect to `server` and do `work`."""
    from mcp import Client

    async def within() -> Found:
        async with Client(server, mode=mode, read_timeout_seconds=PATIENCE) as client:
            return await work(client)

    return asyncio.run(within())


def ask_over_http(
    address: str, work: Callable[[Any], Awaitable[Found]], headers: dict[str, str] | None = None
) -> Found:
    """The same over HTTP, with headers."""
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async def within() -> Found:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http,
            Client(streamable_http_client(address, http_client=http), read_timeout_seconds=PATIENCE) as client,
        ):
            return await work(client)

    return asyncio.run(within())


def shown(result: Any) -> dict[str, Any]:
    """What a tool answered; its text says the same."""
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    answer: dict[str, Any] = result.structured_content
    return answer
