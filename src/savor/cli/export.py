"""`savor export`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.core.progress import console

if TYPE_CHECKING:
    from savor.bundle.releases import Released
    from savor.export.export_bundle import Exported
    from savor.export.measured import Measured

RankerChoice = Literal["auto", "always", "never"]
_UNITS = {"": 1, "B": 1, "K": 1000, "KB": 1000, "M": 10**6, "MB": 10**6, "KIB": 1024, "MIB": 1024**2}


def export(
    directory: Directory = Path(),
    bundle: Annotated[str | None, typer.Option(help="Id of the bundle; absent, the live one.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; absent, .savor/device/bundles of the project.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option(help="How numbers are stored; absent, int8_rescored or the one that fits best.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Most bytes of the edge bundle, as 900000, 900KB or 1MB.")
    ] = None,
    max_loss: Annotated[
        float | None,
        typer.Option(min=0, metavar="PERCENT", help="Most of the server's NDCG@10 that may be lost; absent, 0.2."),
    ] = None,
    all_variants: Annotated[
        bool, typer.Option("--all-variants", help="Make and measure every variant, and take the smallest that fits.")
    ] = False,
    k: Annotated[int, typer.Option("--k", min=1, help="Length of an answer.")] = 100,
    items: Annotated[int | None, typer.Option(min=1, help="Only so many items: those that sold most of late.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Only items with this value in a column.")
    ] = None,
    listed: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="Only the items whose ids stand in this file.")
    ] = None,
    with_user_ids: Annotated[
        bool, typer.Option("--with-user-ids", help="Ship the ids of all users and what was learnt of each.")
    ] = False,
    item_tower: Annotated[
        bool, typer.Option("--item-tower", help="Ship the item tower too, for items that come later.")
    ] = False,
    ranker: Annotated[
        RankerChoice,
        typer.Option(help="Ship a neural ranker: auto where lists get better by it on the device, always, or never."),
    ] = "auto",
    users: Annotated[
        int, typer.Option(min=1, help="How many people the device's answers are compared with the server's for.")
    ] = 2000,
    publish: Annotated[
        str | None, typer.Option(metavar="CHANNEL", help="Release it to the devices on this channel.")
    ] = None,
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of the devices that get it.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Make an edge bundle for phones and browsers of a published bundle, and prove that it answers as the server does.

    With --max-size, --max-loss or --all-variants every variant is made and measured, and the smallest that fits is
    taken. The command fails, and writes nothing, where the answers part from the server's.
    """
    from savor.bundle.registry import Registry
    from savor.cli.project import read_project
    from savor.core.folders import ProjectFolder
    from savor.export.export_bundle import export_bundle
    from savor.export.options import PERCENT, ExportOptions, listed_ids
    from savor.export.parity import Bounds

    folder = ProjectFolder(directory)
    if publish:
        _check_release(publish, share)
    bounds = Bounds() if max_loss is None else Bounds(loss=max_loss / PERCENT)
    options = ExportOptions(
        name=read_project(folder).project.name if folder.configuration.exists() else "savor",
        variant=variant,
        choose=all_variants or max_size is not None or max_loss is not None,
        maximum_size=_bytes(max_size),
        bounds=bounds,
        k=k,
        items=items,
        where=dict(_pair(text) for text in where or ()),
        listed=listed_ids(listed) if listed else None,
        user_ids=with_user_ids,
        item_tower=item_tower,
        ranker=ranker,
        users=users,
    )
    opened = Registry(folder.registry).open(bundle)
    exported = export_bundle(opened, options, out or folder.device / "bundles")
    released = _release(folder, exported.folder, publish, share) if publish else None
    if as_json:
        print_json(_document(exported, released))
        return
    _table(exported)
    size = exported.manifest.size
    console.print(
        f"✓ edge bundle [bold]{exported.manifest.id}[/bold] ({size / 1e6:.2f} MB) in {exported.folder}", highlight=False
    )
    if released is not None:
        console.print(f"  released to {publish}, for {100 * share:g}% of its devices", highlight=False)
    else:
        next_step("savor export --publish live, or open it with savor_edge: EdgeRecommender.open(folder)")


def _check_release(channel: str, share: float) -> None:
    """Refuse what no release can be, before the work of an export."""
    from savor.bundle.rollout import CHANNEL_NAME

    if not share > 0:
        raise typer.BadParameter(
            "a release goes to more than no device; take a share from 0.001 to 1", param_hint="--share"
        )
    if not re.fullmatch(CHANNEL_NAME, channel):
        raise typer.BadParameter(
            f"{channel!r} is no name of a channel: letters, digits and _, not beginning with a digit",
            param_hint="--publish",
        )


def _release(folder: Any, edge_bundle: Path, channel: str, share: float) -> "Released":
    from savor.bundle.releases import Releases

    return Releases(folder.device).release(edge_bundle, channel=channel, share=share)


def _document(exported: "Exported", released: "Released | None") -> dict[str, Any]:
    manifest = exported.manifest
    return {
        "edge_bundle": manifest.id,
        "folder": str(exported.folder),
        "bundle": manifest.bundle,
        "variant": manifest.variant,
        "bytes": manifest.size,
        "number_of_items": manifest.number_of_items,
        "k": manifest.k,
        "parity": manifest.parity,
        "variants": [one.to_json() for one in exported.measured],
        "released": None
        if released is None
        else released._asdict()
        if hasattr(released, "_asdict")
        else vars(released),
    }


def _table(exported: "Exported") -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("variant")
    for name in ("bundle", "p50 ms", "p99 ms", "NDCG@10 lost", "first ten alike"):
        table.add_column(name, justify="right")
    for one in exported.measured:
        table.add_row(*_row(one), style="bold" if one.variant == exported.chosen.variant else None)
    console.print(table)
    beside = exported.manifest.parity.get("pipeline") or {}
    if beside:
        console.print(
            f"  beside the whole pipeline of the server ({beside['questions']} people): "
            f"{100 * beside['agreement']['mean']:.0f}% of the first ten alike, NDCG@10 {beside['edge']['mean']:.3f} "
            f"on the device and {beside['server']['mean']:.3f} on the server",
            highlight=False,
        )
    if found := exported.manifest.parity.get("ranker"):
        console.print(_ranker(found), highlight=False)


def _ranker(found: dict[str, Any]) -> str:
    """What came of the ranker, in a line."""
    shipped = "goes along" if found["shipped"] else "is left out (--ranker always ships it)"
    model, ranked, gain = (found[name] for name in ("model", "ranked", "gain"))
    return (
        f"  the ranker ({found['bytes'] / 1e6:.2f} MB, {found['latency_ms']['p50']:.1f} ms a list) {shipped}: NDCG@10 "
        f"{ranked['mean']:.3f} with it and {model['mean']:.3f} without, "
        f"{gain['mean']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]"
    )


def _row(one: "Measured") -> tuple[str, ...]:
    loss, alike = one.parity.loss, one.parity.agreement
    return (
        one.variant.name,
        f"{one.size / 1e6:.2f} MB",
        f"{one.latency.p50:.2f}",
        f"{one.latency.p99:.2f}",
        f"{100 * loss.mean:.2f}% [{100 * loss.low:.2f}, {100 * loss.high:.2f}]",
        f"{100 * alike.mean:.1f}%",
    )


def _bytes(text: str | None) -> int | None:
    """Bytes of a size as a person writes it.

    Raises:
        typer.BadParameter: it is none.
    """
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)", text.strip())
    if found is None or found[2].upper() not in _UNITS:
        raise typer.BadParameter(f"{text!r} is no size; write it as 900000, 900KB or 1MB", param_hint="--max-size")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def _pair(text: str) -> tuple[str, str]:
    column, sign, value = text.partition("=")
    if not sign or not column.strip() or not value.strip():
        raise typer.BadParameter(f"{text!r} is not COLUMN=VALUE", param_hint="--where")
    return column.strip(), value.strip()
