"""What every kind of task does: let a model answer, and measure the answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.bench.config import Benchmark, ModelSpec
from savor.bench.outcome import Arrays
from savor.bench.prepare import Prepared
from savor.core.config import Section
from savor.core.errors import ConfigError
from savor.evaluation.bootstrap import Interval


@dataclass(frozen=True)
class Answer:
    """What one training of a model has to say to the questions.

    Attributes:
        arrays: what is measured, by name; kept as an .npz file between the process that trains and the one that scores.
        fit_seconds: time to train, refitting and tuning included.
        answer_seconds: time to answer all questions.
        details: what else there is to know (passes, chosen parameters, number of weights), as JSON values.
    """

    arrays: Arrays
    fit_seconds: float
    answer_seconds: float
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A metric of a model.

    Attributes:
        interval: mean over the seeds, with the 95% interval over users (or questions) of that mean.
        spread: standard deviation over the seeds; None for one seed.
    """

    interval: Interval
    spread: float | None = None

    def as_json(self) -> dict[str, float | None]:
        """`{"mean", "low", "high", "spread"}`."""
        return {**self.interval.as_json(), "spread": self.spread}


Figures = dict[str, dict[str, Figure]]
"""By task, by metric (`ndcg@10`)."""


@dataclass(frozen=True)
class Scores:
    """What came out.

    Attributes:
        figures: by model, by task, by metric.
        differences: by model, by task, by metric: the protocol's reference minus this model, paired.
        described: what must be said beside the figures: counts, what is known, what is left out; JSON values.
    """

    figures: dict[str, Figures]
    differences: dict[str, Figures]
    described: dict[str, Any]


@dataclass(frozen=True)
class ProtocolKind:
    """A kind of task.

    Attributes:
        options: the Section that `[protocol]` is, with the keys `kind` and `metrics` among them.
        answer: trains a model with a seed and lets it answer; runs in a process of its own. Takes the prepared data,
            the options, the model, the seed and a folder for files of the training.
        score: measures the answers of models, one for each seed, in the process that started the others.
        check: raises ConfigError where a model's kind, parameters or sections are wrong; imports nothing heavy.
    """

    options: type[Section]
    answer: Callable[[Prepared, Any, ModelSpec, int, Path], Answer]
    score: Callable[[Prepared, Any, Mapping[str, Sequence[Arrays]]], Scores]
    check: Callable[[ModelSpec], None]


KINDS = {
    "ranking": "savor.bench.protocols.ranking:RANKING",
    "rating": "savor.bench.protocols.rating:RATING",
    "ctr": "savor.bench.protocols.ctr:CTR",
    "off_policy": "savor.bench.protocols.off_policy:OFF_POLICY",
}
"""Where each kind is defined: module and name."""


def protocol_of(benchmark: Benchmark) -> tuple[ProtocolKind, Any]:
    """The kind of the benchmark's protocol, and its options.

    Raises:
        ConfigError: there is no such kind, or it cannot run here.
    """
    place = KINDS.get(benchmark.kind)
    if place is None:
        raise ConfigError([f"protocol.kind: {benchmark.kind!r} is none of {', '.join(KINDS)}"], source=benchmark.title)
    module, name = place.split(":")
    try:
        kind: ProtocolKind = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise ConfigError([f"protocol.kind: {benchmark.kind!r} needs {error.name}"], source=benchmark.title) from None
    return kind, kind.options.model_validate(benchmark.protocol)


def seed_mean(values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean over seeds of equally shaped arrays."""
    return np.asarray(np.mean(np.stack(values), axis=0), np.float64)


def seed_spread(values: Sequence[float]) -> float | None:
    """Standard deviation over seeds (n - 1); None for one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
