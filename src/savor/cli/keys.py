"""`savor keys`."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.table import Table

from savor.cli.options import AsJson, Directory
from savor.cli.output import print_json
from savor.core.errors import SavorError
from savor.core.folders import ProjectFolder
from savor.core.progress import console

if TYPE_CHECKING:
    from savor.online.stores.api_keys import ApiKey, Scope
    from savor.online.stores.stores import Stores

keys = typer.Typer(help="Make, list and revoke keys for the API.", no_args_is_help=True)


class KeyScope(StrEnum):
    """What a key opens."""

    DEVICE = "device"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What people call it, as the program that will use it.")],
    scope: Annotated[
        list[KeyScope] | None,
        typer.Option(
            "--scope",
            help="What it opens, once for each: device (for apps that anybody can take "
            "apart: releases, and events of visitors), read, write, admin (opens everything).",
        ),
    ] = None,
    directory: Directory = Path(),
    as_json: AsJson = False,
) -> None:
    """Make a key, and show it this once; by default it opens reading alone."""
    scopes = cast("list[Scope]", [one.value for one in scope or [KeyScope.READ]])
    stores = _stores(directory)
    try:
        key, text = stores.api_keys.create(name, scopes)
        stores.audit.record("command line", "key.create", key.id, {"scopes": sorted(key.scopes)})
    finally:
        stores.close()
    if as_json:
        print_json({"key": text, **_shown(key)})
        return
    console.print(f"✓ {name} opens {', '.join(sorted(key.scopes))}; the key is shown only now:", highlight=False)
    typer.echo(text)


@keys.command(name="list")
def list_keys(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """List the keys, oldest first; what they are checked by is not shown."""
    stores = _stores(directory)
    try:
        found = stores.api_keys.list()
    finally:
        stores.close()
    if as_json:
        print_json([_shown(key) for key in found])
        return
    table = Table("id", "name", "scopes", "created", "revoked")
    for key in found:
        row = (", ".join(sorted(key.scopes)), _moment(key.created), _moment(key.revoked) if key.revoked else "")
        table.add_row(key.id, key.name, *row)
    console.print(table)


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `savor keys list` shows it.")],
    directory: Directory = Path(),
    as_json: AsJson = False,
) -> None:
    """Make a key open nothing any more, after at most five seconds, for ever."""
    stores = _stores(directory)
    try:
        if not stores.api_keys.revoke(key_id):
            raise SavorError(f"there is no valid key {key_id!r}; see: savor keys list", code="key_unknown")
        stores.audit.record("command line", "key.revoke", key_id)
    finally:
        stores.close()
    if as_json:
        print_json({"id": key_id, "revoked": True})
    else:
        console.print(f"✓ {key_id} opens nothing any more", highlight=False)


def _stores(directory: Path) -> "Stores":
    from savor.cli.serving_section import read_stores
    from savor.online.stores.stores import open_stores

    folder = ProjectFolder(directory)
    if not folder.configuration.exists() and not folder.registry.exists():
        raise SavorError(f"there is no project in {directory.resolve()}", code="config_invalid")
    return open_stores(read_stores(folder), folder.root)


def _shown(key: "ApiKey") -> dict[str, object]:
    revoked = _moment(key.revoked) if key.revoked else None
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created": _moment(key.created),
        "revoked": revoked,
    }


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
