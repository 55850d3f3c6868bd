"""The tools over HTTP, behind the keys of the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from savor.api.agents.mcp_server import mcp_server
from savor.api.agents.tools import AgentTools
from savor.api.limits import BodyLimit
from savor.api.security import Access, Security

if TYPE_CHECKING:
    from savor.online.stores.stores import Stores

PATH = "/mcp"
MOST_BYTES = 1 << 18


def mcp_application(app: FastAPI, access: Access, stores: "Stores") -> ASGIApp:
    """An application that answers at `/mcp` alone, with what `app` would answer.

    It keeps no sessions, so that several may stand behind one address.

    Args:
        app: the API, whose state is shared and which begins and ends with this.
        access: who may call.
        stores: where the keys are.

    Raises:
        MissingDependencyError: the package `mcp` is not installed.
    """
    server = mcp_server(AgentTools(app.state))
    from mcp.server.transport_security import TransportSecuritySettings

    # Without keys, no page of another site may ask through somebody's browser.
    local = ["127.0.0.1:*", "localhost:*", "[::1]:*"]
    inner = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=MOST_BYTES,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=not access.keys,
            allowed_hosts=local,
            allowed_origins=[f"http://{host}" for host in local],
        ),
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with app.router.lifespan_context(app), inner.router.lifespan_context(inner):
            yield

    outer = Starlette(routes=[Mount("/", app=inner)], lifespan=lifespan)
    return Security(BodyLimit(outer, MOST_BYTES), stores=stores, access=access)
