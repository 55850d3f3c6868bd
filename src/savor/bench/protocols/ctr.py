"""Whether ratings of the last period say that something was liked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Literal, get_args

import numpy as np
from pydantic import Field, ValidationError

from savor.bench.config import ModelSpec
from savor.bench.outcome import Arrays
from savor.bench.prepare import Prepared
from savor.bench.protocol import Answer, Figure, ProtocolKind, Scores, seed_spread
from savor.core.config import Section
from savor.core.errors import ConfigError
from savor.data.splits import TEST, TRAIN, VALIDATION
from savor.evaluation.bootstrap import Interval
from savor.evaluation.choice import METRICS, RESAMPLES, choice_figures
from savor.features.catalogue import Catalogue
from savor.features.profiles import Profiles
from savor.training.ctr.options import CtrOptions
from savor.training.ctr.predict import CtrModel, CtrTask, predict_choice

TASKS = ("everybody", "known users")


class CtrProtocol(Section):
    """`[protocol]` of kind `ctr`: the split's last part is asked about, each rating as of its moment."""

    kind: Literal["ctr"]
    metrics: tuple[str, ...] = METRICS
    liked: float = Field(4.0, description="Ratings from this on say that it was liked.")
    resamples: int = Field(RESAMPLES, ge=100)
    known: Literal["moment", "period"] = Field(
        "moment",
        description="What is known of a rating of a later period: all that came before its second, or only the periods "
        "before its own, as if nothing were heard after training.",
    )
    order_for_time: bool = Field(
        False, description="In training, take each user's order for time, where times of the training part are guessed."
    )


def _check(spec: ModelSpec) -> None:
    if spec.kind not in get_args(CtrModel):
        raise ConfigError([f"kind: {spec.kind!r} is none of {', '.join(get_args(CtrModel))}"], source=spec.name)
    try:
        CtrOptions.model_validate(spec.params)
    except ValidationError as error:
        raise ConfigError([one["msg"] for one in error.errors(include_url=False)], source=spec.name) from None


def _answer(prepared: Prepared, options: CtrProtocol, spec: ModelSpec, seed: int, directory: Path) -> Answer:  # noqa: ARG001
    """Array `chance`, (M,) float32, of the ratings of the last period in the order of the events."""
    dataset = prepared.dataset
    events = dataset.events
    time = events.time
    if options.known == "period":
        for period in (VALIDATION, TEST):
            time = np.where(events.split == period, time[events.split == period].min(), time)
    task = CtrTask.of(
        events.user,
        events.item,
        time,
        events.value,
        events.split,
        Profiles.from_dataset(dataset).columns,
        Catalogue.from_dataset(dataset).columns,
        options.liked,
        order_for_time=options.order_for_time,
    )
    started = monotonic()
    kinds: dict[str, CtrModel] = {kind: kind for kind in get_args(CtrModel)}
    params = CtrOptions.model_validate(spec.params)
    chance, details = predict_choice(kinds[spec.kind], task, params, seed, cache=prepared.cache / "ctr")
    return Answer({"chance": chance}, monotonic() - started, 0.0, details)


def _score(prepared: Prepared, options: CtrProtocol, answers: Mapping[str, Sequence[Arrays]]) -> Scores:
    events = prepared.dataset.events
    asked = events.select(events.split == TEST)
    label = asked.value >= options.liked
    known = np.isin(asked.user, events.user[events.split == TRAIN])
    parts = dict(zip(TASKS, (np.ones(len(asked), np.bool_), known), strict=True))
    figures: dict[str, dict[str, dict[str, Figure]]] = {}
    for model, seeds in answers.items():
        figures[model] = {}
        for task, rows in parts.items():
            each = [
                choice_figures(asked.user[rows], label[rows], one["chance"][rows], resamples=options.resamples)
                for one in seeds
            ]
            figures[model][task] = {
                metric: Figure(_mean([one[metric] for one in each]), seed_spread([one[metric].mean for one in each]))
                for metric in options.metrics
            }
    return Scores(
        figures,
        {},
        {
            "ratings": {task: int(rows.sum()) for task, rows in parts.items()},
            "liked": {task: float(label[rows].mean()) for task, rows in parts.items()},
            "known": {
                "moment": "at each moment the ratings of earlier seconds, those of the evaluated period among them",
                "period": "the ratings of the periods before",
            }[options.known],
            "interval": f"95%, percentile bootstrap over users, {options.resamples} resamples; mean over seeds",
        },
    )


def _mean(intervals: Sequence[Interval]) -> Interval:
    means, lows, highs = zip(*((one.mean, one.low, one.high) for one in intervals), strict=True)
    return Interval(float(np.mean(means)), float(np.mean(lows)), float(np.mean(highs)))


CTR = ProtocolKind(CtrProtocol, _answer, _score, _check)
"""Likes of the last period."""
