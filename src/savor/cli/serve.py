"""`savor serve`."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from savor.cli.options import AsJson, Directory
from savor.cli.output import print_json
from savor.core.progress import console, progress


def serve(
    directory: Directory = Path(),
    host: Annotated[str | None, typer.Option(help="Address to listen on; by default that of savor.toml.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port to listen on; by default that of savor.toml.")
    ] = None,
    bundle: Annotated[str | None, typer.Option(help="Id of a bundle; by default the one of the channel.")] = None,
    channel: Annotated[
        str, typer.Option(help="The pointer whose bundle is served; restart to serve a later one.")
    ] = "live",
    as_json: AsJson = False,
) -> None:
    """Answer over HTTP from a published bundle, with a page to try it at /."""
    from savor.api.options import ServingOptions
    from savor.api.serve import load_engine
    from savor.api.serve import serve as answer
    from savor.cli.serving_section import read_scenarios, read_serving
    from savor.core.folders import ProjectFolder

    folder = ProjectFolder(directory)
    options: ServingOptions = read_serving(folder)
    with progress("load the bundle"):
        engine = load_engine(folder.registry, bundle=bundle, channel=channel, scenarios=read_scenarios(folder))
    host, port = host or options.host, options.port if port is None else port
    with socket.socket() as probe:
        # An address that cannot be had is said before anything is announced.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
    shown = f"http://{host}:{port}"
    if as_json:
        print_json({"bundle": engine.bundle_id, "address": shown})
    console.print(f"Serving bundle [bold]{engine.bundle_id}[/bold] at {shown}", highlight=False)
    console.print(f"  page {shown}/   API {shown}/docs   metrics {shown}/metrics   (Ctrl-C ends)", highlight=False)
    answer(engine, host=host, port=port)
