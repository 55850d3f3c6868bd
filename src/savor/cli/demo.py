"""`savor demo`."""

from pathlib import Path
from typing import Annotated

import typer

from savor.cli.init import init
from savor.cli.options import Directory
from savor.cli.output import next_step, within_another_command
from savor.cli.recommend import show_recommendations
from savor.cli.run import run
from savor.cli.serve import serve
from savor.core.folders import ProjectFolder
from savor.core.progress import console

HOUSEHOLDS = 3


def demo(
    directory: Directory = Path("demo"),
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve at the end, or end.")] = True,
    port: Annotated[int, typer.Option(help="Port to serve on.")] = 8000,
) -> None:
    """Take a supermarket's year (the Complete Journey data) from raw tables to live recommendations."""
    folder = ProjectFolder(directory)
    with within_another_command():
        if not folder.configuration.exists():
            init(directory=directory, dataset="complete-journey")
        run(directory=directory, resume=True)
    show_households(folder)
    if serving:
        serve(directory=directory, port=port)
    else:
        console.print(f"The report is {folder.reports / 'evaluation.html'}", highlight=False)
        next_step(f"savor serve -C {directory}")


def show_households(folder: ProjectFolder) -> None:
    """Print what the live bundle recommends to a few users, with reasons."""
    from savor.api.requests import RecommendationRequest
    from savor.api.serve import load_engine

    engine = load_engine(folder.registry)
    for user, _ in engine.serving.states.sample(HOUSEHOLDS):
        answer, _ = engine.recommend(RecommendationRequest(user_id=user, num_recommendations=8))
        show_recommendations(answer)
