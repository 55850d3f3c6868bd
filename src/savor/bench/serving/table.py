"""A run of `savor bench serve` as Markdown, beside par and goal."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from savor.bench.serving.entry import LoadEntry, ServingEntry, SizeEntry

_Cell = Callable[[SizeEntry], str]

PAR = {
    "1 connection, p50": ("3.35 ms, retrieval alone", "≤ 1.5 ms at 100,000"),
    "1 connection, p99": ("", "≤ 4 ms at 100,000"),
    "16 connections": ("1,000/s", "≥ 2,000/s at 100,000"),
    "16 connections, p99": ("10 ms", "≤ 10 ms at 100,000"),
    "1 connection, p50 against 100,000 items": ("", "≤ 1.3 × at 1,000,000"),
    "retrieval of 200, against the index alone": ("", "≤ 1.2 ×"),
    "recall of these": ("", "≥ .99"),
    "start to ready": ("", "≤ 3 s at 100,000"),
    "memory": ("", "≤ 500 MB at 100,000"),
    "event acknowledged, p50": ("", "≤ 2 ms"),
    "failed answers": ("", "0"),
    "p99 meanwhile against without": ("", "≤ 2 ×"),
}
"""What the best figure known is, and what is aimed for; see docs/benchmarks.md."""


def serving_table(entry: ServingEntry) -> list[str]:
    """Lines of Markdown: a table of what callers see, and one of the stages."""
    sizes = entry.sizes
    reference = next((size.load(1) for size in sizes if size.items == 100_000), None)
    rows: list[tuple[str, _Cell]] = []
    for connections in dict.fromkeys(load.connections for size in sizes for load in size.loads):
        rows += _load_rows(connections)
    if reference is not None and len(sizes) > 1:
        rows.append(("1 connection, p50 against 100,000 items", lambda size: _ratio(size.load(1), reference, "p50")))
    if any(size.mixed for size in sizes):
        rows += _mixed_rows()
    rows += [
        ("retrieval of 200, against the index alone", _against_index),
        ("recall of these", lambda size: f"{size.retrieval['recall']:.4f}" if size.retrieval else "–"),
        ("candidates ranked", lambda size: f"{size.ranked:.0f}"),
        ("start to ready", lambda size: f"{size.start_seconds:.1f} s"),
        ("memory", lambda size: f"{size.megabytes:,.0f} MB"),
    ]
    head = ["", *(f"{size.items:,} items" for size in sizes), "par", "goal"]
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    for name, cell in rows:
        lines.append(f"| {' | '.join([name, *map(cell, sizes), *PAR.get(name, ('', ''))])} |")
    lines += ["", f"| microseconds, median | {' | '.join(f'{size.items:,} items' for size in sizes)} |"]
    lines.append("|---|" + "---:|" * len(sizes))
    for stage in dict.fromkeys(name for size in sizes for name in size.stages):
        values = [size.stages.get(stage) for size in sizes]
        lines.append(f"| {stage} | {' | '.join('–' if value is None else f'{value:,.0f}' for value in values)} |")
    for name, cell in (
        ("**all stages**", lambda size: f"{size.pipeline_p50:,.0f}"),
        ("processor time, stages", lambda size: f"{size.pipeline_cpu:,.0f}"),
        ("processor time, with JSON", lambda size: f"{size.engine_cpu:,.0f}"),
    ):
        lines.append(f"| {name} | {' | '.join(map(cell, sizes))} |")
    return lines


def append_serving(path: Path, entry: ServingEntry) -> None:
    """Write a run at the end of the log, in one piece."""
    on = entry.machine
    where = f"{on['processors']} processors, {on['memory_gib']} GiB, {on['architecture']}, Python {on['python']}"
    about = (
        f"`{entry.command}`, {where}; about {entry.candidates} candidates ranked, the server on one processor, "
        f"{entry.seconds:g} s of load each, catalogues made from bundle `{entry.source}`."
    )
    lines = [
        "",
        f"## {entry.at} serving",
        "",
        about,
        "",
        *serving_table(entry),
        "",
        "```json serving",
        json.dumps(entry.model_dump(mode="json"), sort_keys=True, separators=(",", ":")),
        "```",
        "",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, "\n".join(lines).encode())
    finally:
        os.close(descriptor)


def _load_rows(connections: int) -> list[tuple[str, _Cell]]:
    name = f"{connections} connection{'s' if connections > 1 else ''}"

    def cell(show: Callable[[LoadEntry], str]) -> _Cell:
        def shown(size: SizeEntry) -> str:
            load = size.load(connections)
            return "–" if load is None else show(load)

        return shown

    return [
        (f"{name}, p50", cell(lambda load: _ms(load.p50))),
        (f"{name}, p99", cell(lambda load: _ms(load.p99))),
        (name, cell(lambda load: f"{load.per_second:,.0f}/s")),
        (f"{name}, processor time an answer", cell(lambda load: _ms(load.cpu))),
        (f"{name}, failed", cell(lambda load: f"{load.failed:,}")),
    ]


def _mixed_rows() -> list[tuple[str, _Cell]]:
    def part(name: str, show: Callable[[LoadEntry], str]) -> _Cell:
        return lambda size: show(size.mixed[name]) if name in size.mixed else "–"

    def against(size: SizeEntry) -> str:
        mixed = size.mixed.get("recommendations")
        return "–" if mixed is None else _ratio(mixed, size.load(mixed.connections), "p99")

    return [
        ("with events and swaps, p99", part("recommendations", lambda load: _ms(load.p99))),
        ("p99 meanwhile against without", against),
        ("failed answers", part("recommendations", lambda load: f"{load.failed:,}")),
        ("event acknowledged, p50", part("events", lambda load: _ms(load.p50))),
        ("events, failed", part("events", lambda load: f"{load.failed:,} of {load.answers:,}")),
        ("swaps, failed", part("swaps", lambda load: f"{load.failed:,} of {load.answers:,}")),
    ]


def _against_index(size: SizeEntry) -> str:
    found = size.retrieval
    if not found:
        return "–"
    return f"{found['search_p50'] / max(found['index_p50'], 0.1):.2f} × {found['index_p50'] / 1e3:.2f} ms"


def _ratio(one: LoadEntry | None, other: LoadEntry | None, what: str) -> str:
    first, second = getattr(one, what, None), getattr(other, what, None)
    return "–" if not first or not second else f"{first / second:.2f} ×"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} ms"
