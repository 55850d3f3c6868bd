"""A run as a Markdown table: every model beside par and goal."""

from collections.abc import Mapping, Sequence
from typing import Any

from savor.bench.config import BASELINES, BEST
from savor.bench.entry import ModelEntry, RunEntry

TITLES = {
    "all": "everything",
    "new": "new to the user",
    "cold_users": "users without a history",
    "cold_items": "items without an event before",
}


LOWER_IS_BETTER = ("rmse", "mae", "log_loss", "calibration_error")
"""Metrics that begin so are better the lower they are."""


def run_table(entry: RunEntry) -> list[str]:
    """Lines of Markdown: one table for each task, models by falling first metric, then par and goal."""
    lines: list[str] = []
    for number, task in enumerate(entry.tasks):
        if len(entry.tasks) > 1:
            lines += ["", f"**{TITLES.get(task, task)}**", ""] if lines else [f"**{TITLES.get(task, task)}**", ""]
        lines += _task_table(entry, task, first=number == 0)
        lines += _paired(entry, task)
    lines += [f"\n{text}" for text in _remarks(entry)]
    return lines


def _task_table(entry: RunEntry, task: str, *, first: bool) -> list[str]:
    rows = [model for model in entry.models if task in model.figures]
    metrics = [metric for metric in entry.metrics if any(metric in model.figures[task] for model in rows)]
    if not metrics:
        return []
    head = ["model", *metrics, "seeds", "fit", "peak"]
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    sign = 1 if metrics[0].startswith(LOWER_IS_BETTER) else -1
    rows.sort(key=lambda row: sign * (row.mean(task, metrics[0]) or 0))
    lines += [_row(model, task, metrics) for model in rows]
    named = (task, "") if first else (task,)
    lines += [
        _plain(f"par: {reference.name} ({reference.source})", reference.figures, metrics)
        for reference in entry.par
        if reference.task in named
    ]
    return lines + [_plain(*_goal(entry, task, goal), metrics) for goal in entry.goal if goal["task"] in named]


def _paired(entry: RunEntry, task: str) -> list[str]:
    """What the protocol's reference is worth over each other model, by the first metric, paired by user."""
    rows = [model for model in entry.models if task in model.differences]
    if not rows:
        return []
    metric = next(name for name in entry.metrics if name in rows[0].differences[task])
    worth = [f"{model.name} {_signed(model.differences[task][metric])}" for model in rows]
    return ["", f"Paired by user, {metric} of {entry.protocol.get('reference')} minus: {'; '.join(worth)}."]


def _signed(figure: Mapping[str, float | None]) -> str:
    text = figure_text(figure)
    return text if text.startswith(("-", "–")) else f"+{text}"


def _row(model: ModelEntry, task: str, metrics: Sequence[str]) -> str:
    cells = [figure_text(model.figures[task].get(metric)) for metric in metrics]
    fit = "–" if model.fit_seconds is None else duration(model.fit_seconds)
    peak = "–" if model.peak_mb is None else f"{model.peak_mb:,.0f} MB"
    return f"| {' | '.join([model.name, *cells, str(len(model.seeds) or '–'), fit, peak])} |"


def _plain(name: str, figures: Mapping[str, float], metrics: Sequence[str]) -> str:
    cells = [number(figures[metric]) if metric in figures else "" for metric in metrics]
    return f"| *{name}* | {' | '.join(cells)} |  |  |  |"


def _goal(entry: RunEntry, task: str, goal: Mapping[str, Any]) -> tuple[str, dict[str, float]]:
    above = goal["above"]
    if above is None:
        return "goal", goal["figures"]
    base = [model for model in entry.models if model.name == above or (above == BEST and model.kind in BASELINES)]
    figures = {}
    for metric, factor in goal["figures"].items():
        found = [value for model in base if (value := model.mean(task, metric)) is not None]
        if found:
            figures[metric] = factor * max(found)
    factor = next(iter(goal["figures"].values()))
    return f"goal: {factor:g} × {above}", figures


def _remarks(entry: RunEntry) -> list[str]:
    remarks = []
    for model in entry.models:
        if model.note:
            remarks.append(f"{model.name}: {model.note}.")
        for metric, one in model.check.items():
            verdict = "agrees with" if one["agrees"] else "**does not agree with**"
            remarks.append(f"{model.name}: {metric} {one['got']:.5f} {verdict} the expected {one['expected']:g}.")
        if model.failed:
            remarks.append(f"{model.name} failed: {' '.join(model.failed.split())}")
    return remarks


def figure_text(figure: Mapping[str, float | None] | None) -> str:
    """`.398 [.386, .410] ±.002`: mean, interval, spread over seeds where there are several."""
    if figure is None or figure["mean"] is None:
        return "–"
    text = number(figure["mean"])
    if figure["low"] is not None and figure["high"] is not None:
        text += f" [{number(figure['low'])}, {number(figure['high'])}]"
    if figure.get("spread") is not None:
        text += f" ±{number(figure['spread'] or 0)}"
    return text


def number(value: float) -> str:
    """Four digits after the point, without the nought before it; whole above 100."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    text = f"{value:.4f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def duration(seconds: float) -> str:
    """`5.1 s`, `12 min`."""
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
