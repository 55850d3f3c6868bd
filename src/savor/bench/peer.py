"""Lists that a model of another project made, measured like all others."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.bench.config import read_benchmark
from savor.bench.entry import ModelEntry, RunEntry
from savor.bench.outcome import Arrays
from savor.bench.prepare import prepare
from savor.bench.protocol import protocol_of
from savor.bench.questions import Questions, RankingOptions
from savor.bench.run import run_entry
from savor.bench.suite import Suite
from savor.core.errors import DataError


def run_peer(path: Path, suite: Suite, data: Path | None, *, lists: Path, model: str, command: str) -> RunEntry:
    """Measure the lists in an .npz file.

    It has `items/<task>` (Q, k) integers of items as exported, best first, -1 where there is none, and may have
    `scores/<task>` (Q, k), and `about`, a JSON object as text with `fit_seconds`, `seeds`, `version` and what else
    there is to say.

    Raises:
        DataError: the file cannot be read, or its lists do not fit the questions.
    """
    benchmark = read_benchmark(path)
    kind, options = protocol_of(benchmark)
    if not isinstance(options, RankingOptions):
        raise DataError(f"peers are measured on ranking benchmarks; {path.stem} is of kind {benchmark.kind}")
    prepared = prepare(benchmark, suite, data)
    arrays, about = _read(lists, Questions.of(prepared.dataset, options))
    scores = kind.score(prepared, options, {model: [arrays]})
    figures = {
        task: {metric: figure.as_json() for metric, figure in row.items()}
        for task, row in scores.figures[model].items()
    }
    entry = ModelEntry(
        name=model,
        kind="peer",
        note=str(about.pop("note", "")),
        seeds=tuple(about.pop("seeds", ())),
        refit=bool(about.pop("refit", True)),
        fit_seconds=about.pop("fit_seconds", None),
        answer_seconds=about.pop("answer_seconds", None),
        peak_mb=about.pop("peak_mb", None),
        figures=figures,
        details=about,
    )
    return run_entry(path, benchmark, prepared, options, scores, [entry], command)


def _read(path: Path, questions: Questions) -> tuple[Arrays, dict[str, Any]]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            given = {name: stored[name] for name in stored.files}
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as an .npz file of lists ({error})") from None
    about = json.loads(str(given.pop("about", "{}")))
    arrays: Arrays = {}
    for task, holdout in questions.test.items():
        items = given.get(f"items/{task}")
        if items is None:
            raise DataError(f"{path} has no lists of the task {task!r} (an array called 'items/{task}')")
        if items.ndim != 2 or len(items) != len(holdout):
            raise DataError(f"{path}: items/{task} has shape {items.shape}, and {len(holdout)} questions were exported")
        if items.max(initial=-1) >= questions.number_of_items:
            raise DataError(f"{path}: items/{task} names item {items.max()}, and there are {questions.number_of_items}")
        arrays[f"items/{task}"] = items.astype(np.int32)
        arrays[f"scores/{task}"] = _scores(given.get(f"scores/{task}"), items)
    return arrays, about


def _scores(given: NDArray[Any] | None, items: NDArray[Any]) -> NDArray[np.float32]:
    """The scores, or falling ones where none are given, so that the order counts as it stands."""
    if given is None:
        given = np.tile(-np.arange(items.shape[1], dtype=np.float32), (len(items), 1))
    return np.where(items >= 0, given, -np.inf).astype(np.float32)
