"""The `savor` command: puts the commands together and turns errors into exit codes."""

import os
import sys
import traceback
from typing import NoReturn

import typer
from pydantic import ValidationError

from savor import __version__
from savor.core.errors import SavorError
from savor.core.progress import console


def command_line() -> typer.Typer:
    """The whole command line; commands import what they need only when they run."""
    from savor.cli.batch import batch
    from savor.cli.bench import bench
    from savor.cli.bundles import bundles, rollback
    from savor.cli.chat import chat
    from savor.cli.demo import demo
    from savor.cli.device import device
    from savor.cli.erase import erase
    from savor.cli.evaluate import evaluate
    from savor.cli.export import export
    from savor.cli.ingest import ingest
    from savor.cli.init import init
    from savor.cli.keys import keys
    from savor.cli.mcp import mcp
    from savor.cli.publish import publish
    from savor.cli.recommend import recommend, similar
    from savor.cli.run import run
    from savor.cli.serve import serve
    from savor.cli.summarize import summarize
    from savor.cli.train import train
    from savor.cli.tune import tune

    commands = (
        (init, ingest, summarize, train, tune, evaluate, publish, run, demo),
        (bundles, rollback, serve, recommend, similar, chat, batch, export, erase, mcp),
    )
    app = typer.Typer(
        name="savor",
        help="Turns what people chose before into what to offer them next: ingest, train, evaluate, publish, serve.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback(invoke_without_command=True)(_root)
    for command in (command for group in commands for command in group):
        app.command()(command)
    app.add_typer(bench, name="bench")
    app.add_typer(keys, name="keys")
    app.add_typer(device, name="device")
    return app


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and end."),
    debug: bool = typer.Option(False, "--debug", help="Show the whole trace when something fails."),  # noqa: ARG001
) -> None:
    """Options that come before the command."""
    if version:
        typer.echo(f"savor {__version__}")
        raise typer.Exit


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. Exit codes: 0 done, 1 the work failed, 2 the call was wrong."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    # Threads that wait by spinning stand in each other's way wherever anything else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if not debug:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if debug:
        arguments = ["--debug", *(argument for argument in arguments if argument != "--debug")]
    try:
        command_line()(args=arguments, prog_name="savor")
    except (SavorError, OSError) as error:
        _fail(str(error), debug=debug)
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, one['loc'])) or 'value'}: {one['msg']}" for one in error.errors())
        _fail("; ".join(dict.fromkeys(wrong)), debug=debug)


def _fail(message: str, *, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exc()
    console.print("[red]✗[/red]", end=" ")
    console.print(message, highlight=False, markup=False, soft_wrap=True)
    sys.exit(1)
