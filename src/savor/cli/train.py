"""`savor train`."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json


def train(
    directory: Directory = Path(),
    stage: Annotated[str, typer.Option(help="retrieval, ranking or all.")] = "all",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted training stopped; the result is the same.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train the towers that find candidates and the trees that rank them."""
    if stage not in ("retrieval", "ranking", "all"):
        raise typer.BadParameter(f"{stage!r} is none of retrieval, ranking, all", param_hint="--stage")
    from savor.cli.project import read_project
    from savor.cli.stages import two_stage
    from savor.core.folders import ProjectFolder

    folder = ProjectFolder(directory)
    stages = two_stage(folder, read_project(folder))
    seconds: dict[str, float] = {}
    steps: dict[str, Callable[[], None]] = {
        "retrieval": lambda: stages.train_retrieval(resume=resume),
        "ranking": stages.train_ranking,
    }
    for name, step in steps.items():
        if stage in (name, "all"):
            started = monotonic()
            step()
            seconds[name] = round(monotonic() - started, 1)
    if as_json:
        print_json({"seconds": seconds, "models": stages.identity()})
    else:
        next_step("savor evaluate")
