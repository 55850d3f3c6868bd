"""`savor demo`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from savor.cli.init import init
from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json, within_another_command
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
    as_json: AsJson = False,
) -> None:
    """Take a supermarket's year (the Complete Journey data) from raw tables to live recommendations."""
    folder = ProjectFolder(directory)
    with within_another_command():
        if not folder.configuration.exists():
            init(directory=directory, dataset="complete-journey")
        run(directory=directory, resume=True)
    answers = households(folder)
    for answer in answers:
        show_recommendations(answer)
    if as_json:
        print_json({"report": str(folder.reports / "evaluation.json"), "recommendations": answers})
    if serving:
        serve(directory=directory, port=port)
    else:
        console.print(f"The report is {folder.reports / 'evaluation.html'}", highlight=False)
        next_step(f"savor serve -C {directory}")


def households(folder: ProjectFolder) -> list[dict[str, Any]]:
    """What the live bundle recommends to a few users, with reasons."""
    from savor.api.requests import RecommendationRequest
    from savor.api.serve import load_engine

    engine = load_engine(folder.registry)
    users = [user for user, _ in engine.serving.states.sample(HOUSEHOLDS)]
    return [engine.recommend(RecommendationRequest(user_id=user, num_recommendations=8))[0] for user in users]
