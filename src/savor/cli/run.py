"""`savor run`."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from savor.cli.evaluate import evaluate
from savor.cli.ingest import ingest
from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json, within_another_command
from savor.cli.publish import Channel, publish
from savor.cli.train import train
from savor.core.progress import console


def run(
    directory: Directory = Path(),
    channel: Channel = "live",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted training stopped.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Publish although the evaluation is worse.")] = False,
    as_json: AsJson = False,
) -> None:
    """Do everything from raw tables to a published bundle: ingest, train, evaluate, publish."""
    steps: dict[str, Callable[[], None]] = {
        "ingest": lambda: ingest(directory=directory),
        "train": lambda: train(directory=directory, resume=resume),
        "evaluate": lambda: evaluate(directory=directory),
        "publish": lambda: publish(directory=directory, channel=channel, force=force),
    }
    seconds = {}
    for name, step in steps.items():
        console.rule(f"[bold]{name}", align="left")
        started = monotonic()
        with within_another_command():
            step()
        seconds[name] = round(monotonic() - started, 1)
    if as_json:
        print_json({"seconds": seconds})
    else:
        taken = ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
        console.print(f"Done: {taken}", highlight=False)
        next_step("savor serve")
