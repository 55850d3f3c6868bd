"""`savor device`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.core.progress import console

if TYPE_CHECKING:
    from savor.bundle.releases import Releases
    from savor.core.folders import ProjectFolder
    from savor.online.stores.devices import DeviceCount

_MOST_REFUSED, _FEW = 0.02, 3
"""Above which share of refusals no roll-out goes on, and from how many on that means anything."""

device = typer.Typer(help="See and steer which edge bundle goes to which share of the devices.", no_args_is_help=True)

ReleaseChannelName = Annotated[str, typer.Option("--channel", help="The channel that devices ask for.")]
Share = Annotated[float, typer.Option("--share", help="Of the devices, above 0 and at most 1: 0.1 is a tenth.")]
ReleaseId = Annotated[str, typer.Argument(help="Id of the release, as `savor device list` shows it.")]


@device.command(name="list")
def list_releases(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """List what is out on each channel, newest first, and on how many devices it runs."""
    from savor.cli.serving_section import read_device

    folder = _project(directory)
    days = read_device(folder).active_days
    releases = _releases(folder)
    counts, problem = _counts(folder, days)
    listed = [row for name in releases.channels() for row in _rows(releases, name, counts)]
    if as_json:
        print_json({"releases": listed, "days": days, "problem": problem})
        return
    table = Table()
    for heading in ("channel", "release", "variant", "items", "size", "share", "since", "devices", "refused"):
        table.add_column(heading, no_wrap=heading == "release")
    for row in listed:
        figures = (f"{row['number_of_items']:,}", f"{row['size'] / 1e6:.2f} MB", _percent(row["share"]), row["since"])
        seen = ("?" if row[name] is None else f"{row[name]:,}" for name in ("running", "failed"))
        table.add_row(row["channel"], row["release"], row["variant"], *figures, *seen)
    console.print(table)
    if problem:
        console.print(f"devices are not counted: {problem}", highlight=False, markup=False)
    if listed:
        next_step("savor device rollout RELEASE --share 1, or savor device withdraw RELEASE")
    else:
        next_step("savor export --publish live --share 0.1")


@device.command()
def release(
    edge_bundle: Annotated[Path, typer.Argument(help="Folder that `savor export` wrote.")],
    channel: ReleaseChannelName = "live",
    share: Share = 1.0,
    directory: Directory = Path(),
    as_json: AsJson = False,
) -> None:
    """Let a channel give an edge bundle to a share of its devices, before every other release."""
    released = _releases(_project(directory)).release(edge_bundle, channel=channel, share=share)
    if as_json:
        print_json(vars(released))
        return
    console.print(
        f"✓ {_percent(share)} of the devices of {channel} get [bold]{released.release}[/bold]: "
        f"{released.files} files, {released.size / 1e6:.2f} MB, of which {released.new_bytes / 1e6:.2f} MB are new",
        highlight=False,
    )
    next_step(f"savor device rollout {released.release} --share 1" if share < 1 else "savor serve")


@device.command()
def rollout(
    release_id: ReleaseId,
    share: Share,
    channel: ReleaseChannelName = "live",
    force: Annotated[
        bool, typer.Option("--force", help="Raise the share although devices refuse the release.")
    ] = False,
    directory: Directory = Path(),
    as_json: AsJson = False,
) -> None:
    """Give a release to another share of the devices; a larger one keeps every device that has it.

    No share is raised while more than 2% of the devices that tried the release refused it.
    """
    folder = _project(directory)
    if not force:
        _check_refusals(folder, release_id, share, channel)
    changed = _releases(folder).rollout(release_id, share, channel=channel)
    if as_json:
        print_json({"release": changed.release, "channel": channel, "share": changed.share})
        return
    console.print(
        f"✓ {_percent(changed.share)} of the devices of {channel} get [bold]{release_id}[/bold] when they ask next",
        highlight=False,
    )
    next_step("savor device list")


@device.command()
def withdraw(
    release_id: ReleaseId,
    channel: ReleaseChannelName = "live",
    directory: Directory = Path(),
    as_json: AsJson = False,
) -> None:
    """Take a release off a channel; its devices go back to the one before when they ask next."""
    left = _releases(_project(directory)).withdraw(release_id, channel=channel)
    before = left.release_for(None)
    if as_json:
        print_json({"release": release_id, "channel": channel, "for_all": before})
        return
    after = (
        f"those that have it go back to {before}" if before else "nothing else goes to all; those that have it keep it"
    )
    console.print(f"✓ {channel} gives out [bold]{release_id}[/bold] no more; {after}", highlight=False)
    next_step("savor device list")


@device.command()
def tidy(
    keep: Annotated[
        int, typer.Option(min=0, help="Releases of each channel, behind those that devices get, to keep.")
    ] = 3,
    directory: Directory = Path(),
    as_json: AsJson = False,
) -> None:
    """Remove releases that no device gets any more, and the files that only they have."""
    gone, size = _releases(_project(directory)).tidy(keep)
    if as_json:
        print_json({"releases": gone, "bytes": size})
    else:
        console.print(f"✓ {gone} releases removed, {size / 1e6:.2f} MB freed", highlight=False)


def _project(directory: Path) -> "ProjectFolder":
    from savor.core.errors import SavorError
    from savor.core.folders import ProjectFolder

    folder = ProjectFolder(directory)
    if not (folder.configuration.exists() or folder.registry.exists() or folder.device.exists()):
        raise SavorError(f"there is no project in {directory.resolve()}", code="config_invalid")
    return folder


def _releases(folder: "ProjectFolder") -> "Releases":
    from savor.bundle.releases import Releases

    return Releases(folder.device)


def _counts(folder: "ProjectFolder", days: float) -> "tuple[Sequence[DeviceCount] | None, str | None]":
    """How many devices run what; None with the reason where the database does not say."""
    from savor.cli.serving_section import read_stores
    from savor.core.errors import SavorError
    from savor.online.stores.database import Database
    from savor.online.stores.devices import Devices
    from savor.online.stores.stores import database_address

    try:
        database = Database.open(database_address(read_stores(folder)), folder.root)
        try:
            return Devices(database).counts(days), None
        finally:
            database.close()
    except SavorError as error:
        return None, str(error)


def _check_refusals(folder: "ProjectFolder", release_id: str, share: float, channel: str) -> None:
    """Raise where a share would grow although devices refuse the release."""
    from savor.cli.serving_section import read_device
    from savor.core.errors import SavorError

    rollouts = _releases(folder).channels().get(channel)
    before = next((one.share for one in rollouts.rollouts if one.release == release_id), 1.0) if rollouts else 1.0
    if share <= before:
        return
    counts, _ = _counts(folder, read_device(folder).active_days)
    count = next((one for one in counts or () if (one.channel, one.release) == (channel, release_id)), None)
    if count is not None and count.failed >= _FEW and count.failed > _MOST_REFUSED * (count.running + count.failed):
        raise SavorError(
            f"{count.failed} of {count.running + count.failed} devices that tried release {release_id} refused it, so "
            f"its share stays at {_percent(before)}. Take it back with: savor device withdraw {release_id}; or insist "
            "with --force",
            code="release_refused",
        )


def _rows(releases: "Releases", channel: str, counts: "Sequence[DeviceCount] | None") -> list[Mapping[str, Any]]:
    found = {count.release: count for count in counts or () if count.channel == channel}
    rows: list[Mapping[str, Any]] = []
    for one in releases.channels()[channel].rollouts:
        manifest, _ = releases.manifest(one.release)
        count = found.get(one.release)
        rows.append(
            {
                "channel": channel,
                "release": one.release,
                "bundle": manifest.bundle,
                "variant": manifest.variant,
                "number_of_items": manifest.number_of_items,
                "size": manifest.size,
                "share": one.share,
                "since": datetime.fromtimestamp(one.since, UTC).strftime("%Y-%m-%d %H:%M"),
                "running": None if counts is None else count.running if count else 0,
                "failed": None if counts is None else count.failed if count else 0,
            }
        )
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:g}%"
