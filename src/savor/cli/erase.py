"""`savor erase`."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.core.errors import SavorError
from savor.core.folders import ProjectFolder
from savor.core.progress import console


def erase(
    user: Annotated[str, typer.Argument(help="Id of the person, as callers of the API write it.")],
    directory: Directory = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a person: events, kept list, profile and experiments, running servers' memory, and every later data set.

    Prints a receipt. Doing it again removes what came since.
    """
    from savor.cli.serving_section import read_stores
    from savor.core.pseudonym import pseudonyms_from_environment
    from savor.online.change_signal import ChangeSignal
    from savor.online.stores.stores import open_stores

    folder = ProjectFolder(directory)
    if not folder.configuration.exists() and not folder.registry.exists():
        raise SavorError(f"there is no project in {directory.resolve()}", code="config_invalid")
    if not yes:
        typer.confirm(f"Remove everything of {user!r}? It cannot be brought back", abort=True, err=True)
    alias = pseudonyms_from_environment()
    also = [alias(user)] if alias is not None else []
    stores = open_stores(read_stores(folder), folder.root)
    try:
        visitors = [visitor for name in (user, *also) for visitor in stores.visitors.visitors_of(name)]
        receipt = stores.erasure.erase(user, actor="command line", also=also)
        told = stores.hot_states.forget([user, *also, *visitors])
        signal = ChangeSignal(folder.root / ".savor" / "live.signal")
        signal.give()
        signal.close()
    finally:
        stores.close()
    remains = _where_else(folder, {user, *also})
    if as_json:
        print_json({**asdict(receipt), "redis_told": told, "remains_in": remains})
        return
    moment = datetime.fromtimestamp(receipt.erased, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    console.print(f"✓ Receipt [bold]{receipt.id}[/bold], {moment}", highlight=False)
    console.print(f"  the person is known as {receipt.digest} from now on", highlight=False)
    for table, rows in receipt.removed.items():
        console.print(f"  {table}: {rows} rows removed", highlight=False)
    if not told:
        console.print("  [yellow]Redis is away and still holds recent events: run this again when it is back[/yellow]")
    if remains:
        console.print(f"  the id still stands in: {', '.join(remains)}", highlight=False)
        console.print("  servers leave it out; ingest and training write these anew without it", highlight=False)
        next_step("savor run, then remove old bundles and your own source tables' rows")


def _where_else(folder: ProjectFolder, ids: set[str]) -> list[str]:
    """What was made of older data and holds the id until it is made again."""
    import orjson

    found = []
    if (folder.dataset / "users.parquet").exists():
        import pyarrow.parquet as pq

        listed = pq.read_table(folder.dataset / "users.parquet", columns=["id"]).column("id").to_pylist()
        found += ["the data set"] if ids & set(listed) else []
    for profiles in sorted((folder.registry / "bundles").glob("*/state/profiles/profiles.json")):
        if ids & set(orjson.loads(profiles.read_bytes()).get("ids", [])):
            found.append(f"bundle {profiles.parents[2].name}")
    return found
