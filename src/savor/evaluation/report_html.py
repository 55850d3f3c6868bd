"""The report that people read in a browser: one file, nothing fetched."""

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from savor.core.files import write_text_atomic
from savor.evaluation.charts import decile_chart, interval_chart, line_chart
from savor.evaluation.report_table import TITLES, sorted_models

_PLOTTED = ("ndcg@10", "recall_min@10")
_TABLE = (
    "ndcg@10",
    "recall_min@10",
    "recall@10",
    "precision@10",
    "hr@10",
    "map@10",
    "mrr@10",
    "recall@100",
    "coverage@10",
    "diversity@10",
    "novelty@10",
    "gini@10",
)
_EXPLAINED = {
    "all": "Every distinct item a user took after the cut, among items seen before it.",
    "new": "Only items the user had never taken before; what was seen is left out of the lists.",
    "cold_users": "Users nothing was known of at the cut.",
    "cold_items": "Only items that had no event at all before the cut.",
}


def render_html(document: Mapping[str, Any], *, title: str = "Evaluation", highlight: str = "pipeline") -> str:
    """The whole page.

    Args:
        document: from `report_document` or `read_report_json`.
        title: what stands above it.
        highlight: the model drawn in the accent colour.
    """
    protocol = document["protocol"]
    tasks = {**document["tasks"], "cold_users": document.get("cold_users"), "cold_items": document.get("cold_items")}
    sections = [_task(name, models, document, highlight) for name, models in tasks.items() if models]
    if document.get("training"):
        sections.append(_training(document["training"]))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_style()}</style></head><body><main><h1>{escape(title)}</h1>"
        "<p>Each model ranks the full catalogue for each user. Bars are means over users, whiskers 95% intervals.</p>"
        f"{_protocol(protocol)}{''.join(sections)}</main></body></html>\n"
    )


def write_report_html(
    document: Mapping[str, Any], path: Path, *, title: str = "Evaluation", highlight: str = "pipeline"
) -> None:
    """Write `render_html` in one step."""
    write_text_atomic(path, render_html(document, title=title, highlight=highlight))


def _style() -> str:
    return files(__package__).joinpath("report.css").read_text(encoding="utf-8")


def _protocol(protocol: Mapping[str, Any]) -> str:
    interval = protocol.get("interval", {})
    yes = {True: "yes", False: "no"}
    method = escape(str(protocol.get("split", {}).get("method", "unknown")))
    rows = {
        "Split": f"{method}, hash <code>{escape(str(protocol.get('split_hash')))}</code>",
        "Catalogue": f"{protocol.get('number_of_items', 0):,} items, {protocol.get('number_of_users', 0):,} users; "
        f"{escape(str(protocol.get('candidates')))} ranked, no sampled negatives",
        "Seeds": escape(", ".join(map(str, protocol.get("seeds", []))) or "none"),
        "Intervals": f"{interval.get('level', 0):.0%}, {escape(str(interval.get('method')))}, "
        f"{interval.get('resamples', 0):,} resamples",
        "Refitted on train + validation": yes[bool(protocol.get("refitted_on_train_and_validation"))],
        "Query time is an input": yes[bool(protocol.get("query_time_is_input"))],
        "Ties": escape(str(protocol.get("ties", ""))),
    }
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows.items())
    whole = escape(json.dumps(protocol, indent=2, sort_keys=True))
    details = f"<details><summary>Whole protocol</summary><pre>{whole}</pre></details>"
    return f'<div class="card"><dl>{listed}</dl>{details}</div>'


def _task(name: str, models: Mapping[str, Any], document: Mapping[str, Any], highlight: str) -> str:
    counts = document["protocol"].get("tasks", {}).get(name, {})
    asked = f" {counts['users']:,} users, {counts['relevant']:,} relevant items." if counts else ""
    charts = "".join(
        f'<div class="card"><h3>{metric}</h3>'
        + interval_chart(
            [(model, models[model][metric]) for model in sorted_models(models, metric) if metric in models[model]],
            label=f"{metric} by model",
            highlight=highlight,
        )
        + "</div>"
        for metric in _PLOTTED
        if any(metric in row for row in models.values())
    )
    return (
        f"<h2>{escape(TITLES.get(name, name))}</h2><p>{_EXPLAINED.get(name, '')}{asked}</p>"
        f'<div class="two">{charts}</div>{_table(models)}{_differences(document.get("differences", {}).get(name))}'
        f"{_exposure(document.get('exposure', {}).get(name), sorted_models(models), highlight)}"
    )


def _table(models: Mapping[str, Any]) -> str:
    shown = [metric for metric in _TABLE if any(metric in row for row in models.values())]
    head = "".join(f"<th>{metric}</th>" for metric in shown)
    best = {metric: _best(metric, models) for metric in shown}
    body = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(_cell(models[name].get(metric), best[metric]) for metric in shown)
        + "</tr>"
        for name in sorted_models(models)
    )
    table = f"<table><thead><tr><th>model</th>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="card scroll">{table}</div>'


def _best(metric: str, models: Mapping[str, Any]) -> float | None:
    means = [row[metric]["mean"] for row in models.values() if row.get(metric, {}).get("mean") is not None]
    if not means:
        return None
    return float(min(means) if metric.startswith("gini") else max(means))


def _cell(value: Mapping[str, float | None] | None, best: float | None) -> str:
    if value is None or value["mean"] is None:
        return "<td>–</td>"
    style = ' class="best"' if value["mean"] == best else ""
    bounds = "" if value["low"] is None else f"<small>{value['low']:.3f} – {value['high']:.3f}</small>"
    return f"<td{style}>{value['mean']:.3f}{bounds}</td>"


def _differences(differences: Mapping[str, Any] | None) -> str:
    if not differences or not differences["against"]:
        return ""
    against = differences["against"]
    shown = [metric for metric in _TABLE if any(metric in row for row in against.values())]
    head = "".join(f"<th>{metric}</th>" for metric in shown)
    body = "".join(
        f"<tr><td>{escape(name)}</td>" + "".join(_difference(row.get(metric)) for metric in shown) + "</tr>"
        for name, row in against.items()
    )
    return (
        f'<div class="card scroll" style="margin-top:16px"><h3>{escape(differences["reference"])} minus each other '
        "model, paired by user; bold where the interval leaves out zero</h3>"
        f"<table><thead><tr><th>model</th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _difference(value: Mapping[str, float | None] | None) -> str:
    if value is None or value["mean"] is None or value["low"] is None or value["high"] is None:
        return "<td>–</td>"
    sure = ' class="best"' if value["low"] > 0 or value["high"] < 0 else ""
    return f"<td{sure}>{value['mean']:+.3f}<small>{value['low']:+.3f} – {value['high']:+.3f}</small></td>"


def _exposure(shares: Mapping[str, list[float]] | None, order: list[str], highlight: str) -> str:
    if not shares:
        return ""
    plots = "".join(
        f'<div class="card"><h3>{escape(name)}</h3>'
        + decile_chart(shares[name], label=f"exposure by popularity decile: {name}", highlighted=name == highlight)
        + "</div>"
        for name in order
        if name in shares
    )
    return (
        "<h3 style='margin-top:24px'>Exposure by popularity decile</h3><p>The share of places at the top of the lists "
        f"that goes to each tenth of the catalogue, from the most to the least popular.</p>"
        f'<div class="many">{plots}</div>'
    )


def _training(training: Mapping[str, list[Mapping[str, float]]]) -> str:
    parts = ["<h2>Training</h2>"]
    for model, points in training.items():
        axis = "step" if any("step" in point for point in points) else "epoch"
        names = dict.fromkeys(name for point in points for name in point if name not in ("step", "epoch"))
        plots = []
        for name in names:
            curve = [(float(point[axis]), float(point[name])) for point in points if axis in point and name in point]
            if curve:
                plots.append(
                    f'<div class="card"><h3>{escape(name.replace("_", " "))}</h3>'
                    f"{line_chart(curve, label=f'{model}: {name}', x_label=axis)}</div>"
                )
        parts.append(f'<h3 style="margin-top:20px">{escape(model)}</h3><div class="many three">{"".join(plots)}</div>')
    return "".join(parts)
