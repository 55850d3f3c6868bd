"""`savor recommend` and `savor similar`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.core.progress import console


class Likeness(StrEnum):
    """What makes items alike."""

    MODEL = "model"
    PICTURE = "picture"


Number = Annotated[int, typer.Option("-n", "--number", min=1, max=1000, help="How many items.")]


def recommend(
    user: Annotated[str, typer.Argument(help="Id of the user.")],
    directory: Directory = Path(),
    number: Number = 10,
    new: Annotated[bool, typer.Option("--new", help="Only items that the user never had.")] = False,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Where the list is for; by default home.")] = None,
    search: Annotated[str | None, typer.Option("--search", help="What the user searches for at this moment.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Add the trace of each item and of the stages.")] = False,
    as_json: AsJson = False,
) -> None:
    """Recommend to one user from the live bundle and what happened since, with reasons."""
    from savor.api.requests import RecommendationRequest
    from savor.api.serve import load_engine
    from savor.cli.live_overlay import live_overlay
    from savor.cli.serving_section import read_pipeline, read_scenarios
    from savor.core.folders import ProjectFolder

    folder = ProjectFolder(directory)
    body = RecommendationRequest(
        user_id=user,
        num_recommendations=number,
        scenario=scenario or ("home" if search is None else "search"),
        exclude_seen=new,
        explain=explain or as_json,
        context={} if search is None else {"query": search},
    )
    with live_overlay(folder) as over:
        engine = load_engine(
            folder.registry, options=read_pipeline(folder), scenarios=read_scenarios(folder), over_states=over
        )
        answer, _ = engine.recommend(body, patient=True)
    if as_json:
        print_json(answer)
        return
    show_recommendations(answer)
    next_step("savor serve, then open the page")


def show_recommendations(answer: dict[str, Any]) -> None:
    """Print an answer of `POST /recommendations` as a table."""
    table = Table(
        "", "item", "name", "category", "score", "why", title=f"For {answer['user_id']}", title_justify="left"
    )
    for place, item in enumerate(answer["recommendations"], start=1):
        reason = item["reason"]["text"]
        category = item.get("category") or ""
        table.add_row(str(place), item["item_id"], item["name"], category, f"{item['score']:.3f}", reason)
    console.print(table)
    if answer["fallback"]:
        console.print(f"  fallback: {answer['fallback']}", style="yellow", highlight=False)


def similar(
    item: Annotated[str, typer.Argument(help="Id of the item.")],
    directory: Directory = Path(),
    number: Number = 10,
    by: Annotated[Likeness, typer.Option("--by", help="The model's vectors, or the pictures alone.")] = Likeness.MODEL,
    as_json: AsJson = False,
) -> None:
    """Find the items most like an item in the live bundle."""
    from savor.api.requests import SimilarItemsRequest
    from savor.api.serve import load_engine
    from savor.core.folders import ProjectFolder

    answer = load_engine(ProjectFolder(directory).registry).similar(
        SimilarItemsRequest(item_id=item, num_similar=number, by=by.value)
    )
    if as_json:
        print_json(answer)
        return
    table = Table("", "item", "name", "category", "likeness", title=f"Like {item}", title_justify="left")
    for place, found in enumerate(answer["similar_items"], start=1):
        category = found.get("category") or ""
        table.add_row(str(place), found["item_id"], found["name"], category, f"{found['score']:.3f}")
    console.print(table)
    if answer["fallback"]:
        console.print(f"  fallback: {answer['fallback']}", style="yellow", highlight=False)
