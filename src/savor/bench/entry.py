"""One run of a benchmark as it stands in the log."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from savor.bench.config import Benchmark, Reference
from savor.core.config import Section


class ModelEntry(Section):
    """What came out for one model.

    Attributes:
        name, kind, note: as in the benchmark's file; `kind` is `peer` for lists made elsewhere.
        config: parameters and sections that were given, and what was tuned.
        seeds, refit: of the trainings.
        fit_seconds, answer_seconds: mean over the seeds; None where it was done elsewhere.
        peak_mb: largest resident set over the seeds; None where it was done elsewhere.
        figures: by task, by metric: mean, low, high, spread.
        differences: the same of the protocol's reference minus this model, where there is one.
        check: where it is a self-check, by metric what was expected, what came out and whether they agree.
        failed: why there are no figures.
        details: what else the model said of itself.
    """

    name: str
    kind: str
    note: str = ""
    config: dict[str, Any] = Field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    refit: bool = True
    fit_seconds: float | None = None
    answer_seconds: float | None = None
    peak_mb: float | None = None
    figures: dict[str, dict[str, dict[str, float | None]]] = Field(default_factory=dict)
    differences: dict[str, dict[str, dict[str, float | None]]] = Field(default_factory=dict)
    check: dict[str, dict[str, float | bool]] = Field(default_factory=dict)
    failed: str = ""
    details: dict[str, Any] = Field(default_factory=dict)

    def mean(self, task: str, metric: str) -> float | None:
        """A figure's mean, if it was measured."""
        return self.figures.get(task, {}).get(metric, {}).get("mean")


class RunEntry(Section):
    """A run.

    Attributes:
        benchmark: the file's name without its ending.
        at: UTC, `2026-11-22 02:05`.
        command: that ran it.
        protocol: as in the file, with what the scorer had to say.
        dataset: name, fingerprint, split and its hash.
        par, goal: as in the file.
    """

    benchmark: str
    title: str
    at: str
    command: str
    protocol: dict[str, Any]
    dataset: dict[str, Any]
    machine: dict[str, Any]
    versions: dict[str, str]
    par: tuple[Reference, ...] = ()
    goal: tuple[dict[str, Any], ...] = ()
    models: tuple[ModelEntry, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that were measured, in the file's order."""
        found = dict.fromkeys(task for model in self.models for task in model.figures)
        return tuple(self.protocol.get("tasks") or found)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics shown, in the file's order."""
        return tuple(self.protocol["metrics"])


def goals(benchmark: Benchmark) -> tuple[dict[str, Any], ...]:
    """The goals as JSON values."""
    return tuple(goal.model_dump(mode="json") for goal in benchmark.goal)


def check(
    spec_expected: Mapping[str, float], tolerance: float, figures: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Compare the figures of a self-check with what must come out."""
    result = {}
    for metric, expected in spec_expected.items():
        value = figures[metric]["mean"]
        result[metric] = {"expected": expected, "got": value, "agrees": abs(value - expected) <= tolerance}
    return result
