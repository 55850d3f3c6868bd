"""`savor train`."""

from collections.abc import Callable
from dataclasses import replace
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
    distribute: Annotated[
        str | None, typer.Option(help="none, mirrored or multiworker; goes before training.distribute.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train the towers that find candidates and the trees that rank them."""
    if stage not in ("retrieval", "ranking", "all"):
        raise typer.BadParameter(f"{stage!r} is none of retrieval, ranking, all", param_hint="--stage")
    if distribute not in (None, "none", "mirrored", "multiworker"):
        raise typer.BadParameter(f"{distribute!r} is none of none, mirrored, multiworker", param_hint="--distribute")
    from savor.cli.project import read_project
    from savor.cli.stages import two_stage
    from savor.core.folders import ProjectFolder
    from savor.training.distribution import is_chief

    folder = ProjectFolder(directory)
    stages = two_stage(folder, read_project(folder))
    if distribute is not None:
        stages = replace(stages, training=stages.training.model_copy(update={"distribute": distribute}))
    if not is_chief(stages.training.distribute):
        # The chief does all the rest.
        stages.train_retrieval(resume=resume)
        return
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
