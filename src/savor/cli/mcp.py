"""`savor mcp`."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from savor.cli.options import AsJson, Directory
from savor.cli.output import print_json
from savor.core.errors import ConfigError, MissingDependencyError
from savor.core.progress import console, progress

if TYPE_CHECKING:
    from fastapi import FastAPI


def mcp(
    directory: Directory = Path(),
    http: Annotated[bool, typer.Option("--http", help="Answer at /mcp over HTTP, with the keys of the API.")] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on; by default that of savor.toml.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8001,
    channel: Annotated[str, typer.Option(help="The pointer whose bundle answers.")] = "live",
    as_json: AsJson = False,
) -> None:
    """Offer search, recommend, similar, explain and basket to agents, over the Model Context Protocol.

    Over standard input and output unless --http is given. Nothing that agents ask for changes anything.
    """
    from savor.api.agents.mcp_server import mcp_server
    from savor.api.agents.tools import AgentTools
    from savor.cli.server import ServerSettings, open_application
    from savor.cli.serving_section import read_security, read_serving
    from savor.core.folders import ProjectFolder

    if as_json and not http:
        raise ConfigError(["--json needs --http: without it, standard output belongs to the protocol"])
    if find_spec("mcp") is None:
        raise MissingDependencyError("mcp", "llm")
    folder = ProjectFolder(directory)
    listening = (host or read_serving(folder).host) if http else "127.0.0.1"
    settings = ServerSettings(directory=folder.root, host=listening, channel=channel)
    with progress("open stores and bundle"):
        application: FastAPI = open_application(settings)
    if http:
        from savor.api.agents.mcp_http import mcp_application
        from savor.api.security import Access
        from savor.api.serve import run

        access = Access.of(read_security(folder), listening)
        served = mcp_application(application, access, application.state.live.stores)
        if as_json:
            print_json({"bundle": application.state.engine.bundle_id, "address": f"http://{listening}:{port}/mcp"})
        console.print(f"Tools for agents at http://{listening}:{port}/mcp   (Ctrl-C ends)", highlight=False)
        if access.keys:
            console.print("  keys are needed: savor keys create NAME --scope read", highlight=False)
        run(served, listening, port)
        return
    import anyio
    from mcp.server.stdio import stdio_server

    server = mcp_server(AgentTools(application.state))

    async def answer() -> None:
        async with (
            application.router.lifespan_context(application),
            stdio_server() as (read, write),
        ):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(answer)
