"""`savor bundles` and `savor rollback`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.cli.publish import Channel
from savor.core.progress import console


def bundles(directory: Directory = Path(), as_json: AsJson = False) -> None:
    """List the published bundles, newest first, with the channels that point to them."""
    from savor.bundle.registry import Registry
    from savor.core.folders import ProjectFolder

    listed = Registry(ProjectFolder(directory).registry).list()
    if as_json:
        rows = [{"bundle": one.id, "channels": one.channels, "created": one.created} for one in listed]
        more = [
            {"bytes": one.size, "metrics": one.manifest and one.manifest.metrics, "problem": one.problem}
            for one in listed
        ]
        print_json([{**row, **rest} for row, rest in zip(rows, more, strict=True)])
        return
    table = Table("bundle", "created", "channels", "all ndcg@10", "new ndcg@10", "size", "problem")
    for one in listed:
        created = datetime.fromtimestamp(one.created, UTC).strftime("%Y-%m-%d %H:%M") if one.created else "?"
        figures = [_figure(one.manifest.metrics if one.manifest else {}, task) for task in ("all", "new")]
        table.add_row(one.id, created, ", ".join(one.channels), *figures, f"{one.size / 1e6:.0f} MB", one.problem or "")
    console.print(table)
    next_step("savor publish" if not listed else "savor serve, or savor rollback")


def rollback(directory: Directory = Path(), channel: Channel = "live", as_json: AsJson = False) -> None:
    """Let a channel point to the bundle that it pointed to before."""
    from savor.bundle.registry import Registry
    from savor.core.folders import ProjectFolder

    activation = Registry(ProjectFolder(directory).registry).rollback(channel)
    if as_json:
        print_json({"bundle": activation.bundle, "channel": channel})
    else:
        console.print(f"✓ {channel} points to [bold]{activation.bundle}[/bold] again", highlight=False)
        next_step("savor serve")


def _figure(metrics: dict[str, Any], task: str) -> str:
    found = metrics.get("tasks", {}).get(task, {}).get("pipeline", {}).get("ndcg@10")
    return f"{found['mean']:.4f}" if found else "–"
