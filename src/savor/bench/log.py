"""The log of measurements: text for people, and in it one JSON block for each run."""

import json
import os
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from savor.bench.entry import RunEntry
from savor.bench.table import run_table
from savor.core.errors import DataError

_BLOCK = re.compile(r"^```json benchmark\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def append_run(path: Path, entry: RunEntry) -> None:
    """Write a run at the end of the log, in one piece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = entry_text(entry).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def entry_text(entry: RunEntry) -> str:
    """A run as it stands in the log."""
    machine = entry.machine
    on = (
        f"{machine['processors']} processors, {machine['memory_gib']} GiB, {machine['architecture']}, Python "
        f"{machine['python']}, threads: {machine['threads']}"
    )
    split = entry.dataset.get("split_hash")
    lines = [
        "",
        f"## {entry.at} {entry.benchmark}",
        "",
        f"{entry.title}. `{entry.command}`, {on}" + (f", split `{split[:16]}`" if split else "") + ".",
        "",
        *run_table(entry),
        "",
        "```json benchmark",
        json.dumps(_rounded(entry.model_dump(mode="json")), ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        "```",
        "",
    ]
    return "\n".join(lines)


def read_runs(path: Path) -> list[RunEntry]:
    """Every run in the log, oldest first.

    Raises:
        DataError: a block cannot be read.
    """
    if not path.exists():
        return []
    runs = []
    for block in _BLOCK.findall(path.read_text(encoding="utf-8")):
        try:
            runs.append(RunEntry.model_validate_json(block))
        except ValidationError as error:
            raise DataError(f"{path}: a JSON block is no run of a benchmark ({error.errors()[0]['msg']})") from None
    return runs


def _rounded(value: Any) -> Any:
    """Floats with six digits after the point, which is more than any interval needs."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 6) if isinstance(value, float) else value
