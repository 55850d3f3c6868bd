"""`savor serve`."""

import socket
from pathlib import Path
from typing import Annotated, Any

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
        str, typer.Option(help="The pointer whose bundle is served; a later one is changed to while answers go on.")
    ] = "live",
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that share the port.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Answer over HTTP from a published bundle, with a page to try it at /.

    Newly published bundles are changed to without a pause; with --bundle, that one is served whatever is published.
    """
    from savor.api.security import Access
    from savor.api.serve import run
    from savor.bundle.registry import Registry
    from savor.cli.server import ServerSettings, hand_over, open_application
    from savor.cli.serving_section import read_security, read_serving
    from savor.core.folders import ProjectFolder

    folder = ProjectFolder(directory)
    options = read_serving(folder)
    host, port = host or options.host, options.port if port is None else port
    access = Access.of(read_security(folder), host)
    settings = ServerSettings(directory=folder.root, host=host, channel=channel, bundle=bundle)
    identifier = Registry(folder.registry).open(bundle, channel=channel, verify=False).id
    with socket.socket() as probe:
        # An address that cannot be had is said before anything is announced.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
    if workers == 1:
        with progress("open stores and bundle"):
            application: Any = open_application(settings)
        identifier = application.state.engine.bundle_id
    else:
        application = hand_over(settings)
    shown = f"http://{host}:{port}"
    if as_json:
        print_json({"bundle": identifier, "address": shown})
    console.print(f"Serving bundle [bold]{identifier}[/bold] at {shown}", highlight=False)
    console.print(f"  page {shown}/   API {shown}/docs   metrics {shown}/metrics   (Ctrl-C ends)", highlight=False)
    if access.keys:
        console.print("  keys are needed: savor keys create NAME --scope read --scope write", highlight=False)
    run(application, host, port, workers=workers)
