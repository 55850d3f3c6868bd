"""The report that programs read."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from savor.core.errors import DataError
from savor.core.files import write_json_atomic
from savor.evaluation.evaluate import TaskResult

MAIN_TASKS = ("all", "new")
"""The tasks of warm users and items, under `tasks`; `cold_users` and `cold_items` stand beside it."""

Curves = Mapping[str, Sequence[Mapping[str, float]]]
"""By model, what training reported: each point has `epoch` or `step`, and any of `loss`, `examples_per_second` and
validation metrics."""


def report_document(
    protocol: Mapping[str, Any], results: Iterable[TaskResult], *, training: Curves | None = None
) -> dict[str, Any]:
    """Put a report together, as JSON values.

    Args:
        protocol: from `describe_protocol`.
        results: at most one for each task.
        training: what training reported, for its curves.

    Returns:
        `{"protocol", "tasks": {"all": {"<model>": {"ndcg@10": {"mean", "low", "high"}, …}, …}, "new": {…}},
        "cold_users": {"<model>": …}, "cold_items": {…}, "differences": {task: {"reference", "against"}}, "exposure":
        {task: {"<model>": [10 shares]}}, "training": {"<model>": [points]}}`.
    """
    document: dict[str, Any] = {
        "protocol": dict(protocol),
        "tasks": {},
        "cold_users": {},
        "cold_items": {},
        "differences": {},
        "exposure": {},
        "training": {name: [dict(point) for point in points] for name, points in (training or {}).items()},
    }
    for result in results:
        place = document["tasks"] if result.task in MAIN_TASKS else document
        place[result.task] = result.metrics_as_json()
        document["exposure"][result.task] = result.exposure
        if result.reference is not None:
            document["differences"][result.task] = result.differences_as_json()
    return document


def write_report_json(document: Mapping[str, Any], path: Path) -> None:
    """Write the report in one step."""
    write_json_atomic(path, document)


def read_report_json(path: Path) -> dict[str, Any]:
    """Read a report.

    Raises:
        DataError: absent, or not a report.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"no report in {path} ({error}); run: savor evaluate") from None
    if not isinstance(document, dict) or "tasks" not in document:
        raise DataError(f"{path} is not an evaluation report; run: savor evaluate")
    return document
