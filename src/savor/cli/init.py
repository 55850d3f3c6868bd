"""`savor init`."""

from pathlib import Path
from typing import Annotated

import typer

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.core.errors import ConfigError
from savor.core.files import write_text_atomic
from savor.core.folders import ProjectFolder
from savor.core.progress import console, progress


def init(
    directory: Directory = Path(),
    events: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Events: CSV, Parquet or JSON Lines, a glob, or a database URL."),
    ] = None,
    items: Annotated[
        str | None, typer.Option(metavar="FILE", help="Items; without it the events describe them.")
    ] = None,
    users: Annotated[
        str | None, typer.Option(metavar="FILE", help="Users; without it the events describe them.")
    ] = None,
    query: Annotated[str | None, typer.Option(metavar="SQL", help="What to read, if EVENTS is a database URL.")] = None,
    user: Annotated[str | None, typer.Option(metavar="COLUMN", help="The events' column with the user.")] = None,
    item: Annotated[str | None, typer.Option(metavar="COLUMN", help="The events' column with the item.")] = None,
    time: Annotated[str | None, typer.Option(metavar="COLUMN", help="The events' column with the moment.")] = None,
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="Zone of moments that name none.")] = "UTC",
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A known data set: complete-journey, ml-1m, ml-100k, online-retail, amazon-beauty or gowalla.",
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="PATH", help="The known data set's files, if they are here already."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a savor.toml that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at your tables, guess what their columns mean, and write a commented savor.toml that runs as it is."""
    from savor.data.known.registry import known_dataset
    from savor.data.project_file import project_file, source_from
    from savor.data.propose import Sources, propose

    if (events is None) == (dataset is None):
        raise typer.BadParameter("give either --events FILE or --dataset NAME")
    target = ProjectFolder(directory).configuration
    if target.exists() and not force:
        raise ConfigError([f"is already in {directory.resolve()}; write over it with --force"], source="savor.toml")
    directory.mkdir(parents=True, exist_ok=True)
    if dataset is not None:
        known = known_dataset(dataset)
        with progress(f"Prepare {dataset}"):
            proposal = known.prepare(directory, source)
        name = known.name
        console.print(f"{known.title} (terms: {known.terms})", highlight=False)
    else:
        assert events is not None
        roles = {role: column for role, column in (("user", user), ("item", item), ("time", time)) if column}
        paths = [source_from(directory, path) if path is not None else None for path in (events, items, users)]
        sources = Sources(paths[0] or events, paths[1], paths[2], query, roles)
        with progress("Look at the tables"):
            proposal = propose(sources, directory, directory / ".savor", timezone=timezone)
        name = directory.resolve().name
    write_text_atomic(target, project_file(proposal, name))
    if as_json:
        guesses = [{"table": g.table, "column": g.column, "role": g.role, "reason": g.reason} for g in proposal.guesses]
        print_json({"savor_toml": str(target), "guesses": guesses, "notes": proposal.notes})
        return
    console.print(proposal.render())
    console.print(f"wrote {target}", highlight=False)
    next_step("savor run" if directory == Path() else f"savor run -C {directory}")
