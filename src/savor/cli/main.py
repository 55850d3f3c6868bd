"""The `savor` command: puts the commands together and turns errors into exit codes."""

import sys
import traceback

import click
import typer

from savor import __version__
from savor.core.errors import SavorError
from savor.core.progress import console


def command_line() -> typer.Typer:
    """The whole command line; commands import what they need only when they run."""
    from savor.cli.ingest import ingest
    from savor.cli.init import init

    app = typer.Typer(
        name="savor",
        help="Turns what people chose before into what to offer them next: ingest, train, evaluate, publish, serve.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback(invoke_without_command=True)(_root)
    for command in (init, ingest):
        app.command()(command)
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
    if debug:
        arguments = ["--debug", *(argument for argument in arguments if argument != "--debug")]
    try:
        code = command_line()(args=arguments, standalone_mode=False)
    except click.exceptions.UsageError as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Exit as exit_request:
        sys.exit(exit_request.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        console.print("stopped")
        sys.exit(130)
    except SavorError as error:
        if debug:
            traceback.print_exc()
        console.print(f"[red]✗[/red] {error}", highlight=False, markup=True)
        sys.exit(1)
    except OSError as error:
        if debug:
            traceback.print_exc()
        console.print(f"[red]✗[/red] {error}", highlight=False)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
