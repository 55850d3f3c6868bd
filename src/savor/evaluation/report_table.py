"""The report that people read on a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

TITLES = {
    "all": "Everything",
    "new": "New to the user",
    "cold_users": "Users without a history",
    "cold_items": "Items without an event before",
}
"""What people call the tasks."""

COLUMNS = ("ndcg@10", "recall_min@10", "hr@10", "recall@100", "coverage@10")
"""The metrics a table shows, where they were measured."""


def report_tables(document: Mapping[str, Any]) -> list[Table]:
    """One table a task: models by falling ndcg@10, figures as `mean ± half the interval`, the best of a column bold.

    Args:
        document: from `report_document`.
    """
    tasks = {**document["tasks"], **{name: document.get(name, {}) for name in ("cold_users", "cold_items")}}
    return [_table(task, models, document["protocol"]) for task, models in tasks.items() if models]


def sorted_models(models: Mapping[str, Any], metric: str = "ndcg@10") -> list[str]:
    """Model names by falling metric; those without it last."""
    return sorted(models, key=lambda name: (-(_mean(models[name], metric) or -1.0), name))


def _mean(row: Mapping[str, Any], metric: str) -> float | None:
    value = row.get(metric, {}).get("mean")
    return None if value is None else float(value)


def _table(task: str, models: Mapping[str, Any], protocol: Mapping[str, Any]) -> Table:
    counts = protocol.get("tasks", {}).get(task, {})
    asked = f" · {counts['users']:,} users, {counts['relevant']:,} relevant items" if counts else ""
    table = Table(title=f"{TITLES.get(task, task)}{asked}", title_justify="left", header_style="bold")
    table.add_column("model", no_wrap=True)
    shown = [metric for metric in COLUMNS if any(metric in row for row in models.values())]
    best = {metric: max(_mean(row, metric) or 0.0 for row in models.values()) for metric in shown}
    for metric in shown:
        table.add_column(metric, justify="right", no_wrap=True)
    for name in sorted_models(models):
        table.add_row(name, *(_cell(models[name].get(metric), best[metric]) for metric in shown))
    return table


def _cell(value: Mapping[str, float | None] | None, best: float) -> str:
    if value is None or value["mean"] is None:
        return "–"
    text = f"{value['mean']:.3f}"
    if value["low"] is not None and value["high"] is not None:
        text += f" ±{(value['high'] - value['low']) / 2:.3f}"
    return f"[bold]{text}[/bold]" if value["mean"] >= best > 0 else text
