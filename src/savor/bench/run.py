"""A benchmark from its file to an entry of the log."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from savor.bench.child import run_in_child
from savor.bench.config import Benchmark, ModelSpec, read_benchmark
from savor.bench.entry import ModelEntry, RunEntry, check, goals
from savor.bench.kept import Kept
from savor.bench.machine import machine, versions
from savor.bench.outcome import Arrays, Outcome
from savor.bench.prepare import Prepared, prepare
from savor.bench.protocol import Scores, protocol_of
from savor.bench.suite import Suite
from savor.core.errors import SavorError
from savor.core.progress import console, progress


def run_benchmark(
    path: Path,
    suite: Suite,
    data: Path | None,
    *,
    command: str,
    only: tuple[str, ...] = (),
    seeds: int | None = None,
    resume: bool = False,
) -> RunEntry:
    """Run every model of the benchmark, each training in a process of its own, and measure.

    A model that fails is recorded with its reason, and the others go on.

    Args:
        path: the benchmark's file.
        suite: where prepared data are kept.
        data: the folder with the data sets.
        command: for the record.
        only: names of the models to run; empty: all.
        seeds: how many of each model's seeds; None: all.
        resume: take the answers that an earlier run kept in the place of the same training.

    Raises:
        ConfigError: the file, or a model in it, is wrong.
        DataError: the data are not there.
    """
    benchmark = read_benchmark(path)
    kind, options = protocol_of(benchmark)
    specs = benchmark.chosen(only, seeds)
    for spec in specs:
        kind.check(spec)
    prepared = prepare(benchmark, suite, data)
    kept = Kept(suite.answers, benchmark)
    outcomes: dict[str, list[Outcome]] = {}
    failures: dict[str, str] = {}
    for spec in specs:
        try:
            outcomes[spec.name] = _trainings(path, suite, data, spec, kept, resume=resume)
        except SavorError as error:
            failures[spec.name] = str(error)
            console.print(f"[red]✗[/red] {error}", highlight=False)
    answers: dict[str, Sequence[Arrays]] = {name: [one.arrays for one in runs] for name, runs in outcomes.items()}
    with progress("Measure"):
        scores = kind.score(prepared, options, answers) if answers else Scores({}, {}, {})
    models = [
        ModelEntry(name=spec.name, kind=spec.kind, config=_config(spec), seeds=spec.seeds, failed=failures[spec.name])
        if spec.name in failures
        else _entry(spec, outcomes[spec.name], scores)
        for spec in specs
    ]
    return run_entry(path, benchmark, prepared, options, scores, models, command)


def run_entry(
    path: Path,
    benchmark: Benchmark,
    prepared: Prepared,
    options: Any,
    scores: Scores,
    models: Sequence[ModelEntry],
    command: str,
) -> RunEntry:
    """Put an entry together."""
    return RunEntry(
        benchmark=path.stem,
        title=benchmark.title,
        at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        command=command,
        protocol={**options.model_dump(mode="json"), **scores.described},
        dataset=_dataset(prepared),
        machine=machine(),
        versions=versions(),
        par=benchmark.par,
        goal=goals(benchmark),
        models=tuple(models),
    )


def _trainings(
    path: Path, suite: Suite, data: Path | None, spec: ModelSpec, kept: Kept, *, resume: bool
) -> list[Outcome]:
    done = []
    for number, seed in enumerate(spec.seeds):
        console.rule(f"[bold]{spec.name}[/bold] seed {seed} ({number + 1} of {len(spec.seeds)})", align="left")
        outcome = kept.find(spec, seed) if resume else None
        if outcome is None:
            outcome = run_in_child(path, suite, data, spec.name, seed)
            kept.save(spec, seed, outcome)
        else:
            console.print("as kept by an earlier run", style="dim")
        done.append(outcome)
    return done


def _entry(spec: ModelSpec, outcomes: Sequence[Outcome], scores: Scores) -> ModelEntry:
    figures = {
        task: {metric: figure.as_json() for metric, figure in row.items()}
        for task, row in scores.figures[spec.name].items()
    }
    differences = {
        task: {metric: figure.as_json() for metric, figure in row.items()}
        for task, row in scores.differences.get(spec.name, {}).items()
    }
    return ModelEntry(
        name=spec.name,
        kind=spec.kind,
        note=spec.note,
        config=_config(spec),
        seeds=spec.seeds,
        refit=spec.refit,
        fit_seconds=round(sum(one.fit_seconds for one in outcomes) / len(outcomes), 1),
        answer_seconds=round(sum(one.answer_seconds for one in outcomes) / len(outcomes), 2),
        peak_mb=round(max(one.peak_mb for one in outcomes)),
        figures=figures,
        differences=differences,
        check=check(spec.expected, spec.tolerance, next(iter(figures.values()))),
        details=outcomes[0].details,
    )


def _config(spec: ModelSpec) -> dict[str, Any]:
    values = {"params": spec.params, "sections": spec.sections}
    return {
        **{key: value for key, value in values.items() if value},
        **({} if spec.tune == "no" else {"tune": spec.tune}),
        **({} if spec.passes is None else {"passes": spec.passes}),
    }


def _dataset(prepared: Prepared) -> dict[str, Any]:
    options = prepared.benchmark.dataset
    described: dict[str, Any] = {"name": options.name, "core": options.core, "attributes": options.attributes}
    if not (prepared.folder / "dataset").exists():
        return described
    dataset = prepared.dataset
    return {
        **described,
        "fingerprint": dataset.fingerprint,
        "split": dataset.split,
        "split_hash": dataset.split["hash"],
    }
