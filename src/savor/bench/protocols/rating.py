"""Ratings that are held out at random."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Literal, get_args

import numpy as np
from pydantic import Field, ValidationError

from savor.bench.config import ModelSpec
from savor.bench.outcome import Arrays
from savor.bench.prepare import Prepared
from savor.bench.protocol import Answer, Figure, ProtocolKind, Scores, seed_mean, seed_spread
from savor.core.config import Section
from savor.core.errors import ConfigError
from savor.data.splits import TEST
from savor.evaluation.bootstrap import RESAMPLES, Interval
from savor.evaluation.rating import METRICS, rating_calibration, rating_figures
from savor.features.catalogue import Catalogue
from savor.features.profiles import Profiles
from savor.training.rating.options import RatingOptions
from savor.training.rating.predict import RatingModel, RatingTask, predict_ratings

TASK = "ratings"


class RatingProtocol(Section):
    """`[protocol]` of kind `rating`: everything but the test part of the split is known."""

    kind: Literal["rating"]
    metrics: tuple[str, ...] = METRICS
    resamples: int = Field(RESAMPLES, ge=100)


def _check(spec: ModelSpec) -> None:
    if spec.kind not in get_args(RatingModel):
        raise ConfigError([f"kind: {spec.kind!r} is none of {', '.join(get_args(RatingModel))}"], source=spec.name)
    try:
        RatingOptions.model_validate(spec.params)
    except ValidationError as error:
        raise ConfigError([one["msg"] for one in error.errors(include_url=False)], source=spec.name) from None


def _answer(prepared: Prepared, options: RatingProtocol, spec: ModelSpec, seed: int, directory: Path) -> Answer:  # noqa: ARG001
    """Array `predicted`, (M,) float32, of the held-out ratings in the order of the events."""
    dataset = prepared.dataset
    events = dataset.events
    profiles, catalogue = Profiles.from_dataset(dataset), Catalogue.from_dataset(dataset)
    task = RatingTask(
        events.user,
        events.item,
        events.time,
        events.value,
        events.split != TEST,
        profiles.columns,
        catalogue.columns,
        len(profiles),
        len(catalogue),
    )
    started = monotonic()
    kinds: dict[str, RatingModel] = {kind: kind for kind in get_args(RatingModel)}
    predicted, details = predict_ratings(kinds[spec.kind], task, RatingOptions.model_validate(spec.params), seed)
    return Answer({"predicted": predicted}, monotonic() - started, 0.0, details)


def _score(prepared: Prepared, options: RatingProtocol, answers: Mapping[str, Sequence[Arrays]]) -> Scores:
    dataset = prepared.dataset
    events = dataset.events
    asked = events.select(events.split == TEST)
    figures, described = {}, {}
    for model, seeds in answers.items():
        each = [rating_figures(asked.user, asked.value, one["predicted"], resamples=100) for one in seeds]
        predicted = seed_mean([one["predicted"].astype(np.float64) for one in seeds]).astype(np.float32)
        mean = rating_figures(asked.user, asked.value, predicted, resamples=options.resamples)
        single = each[0] if len(seeds) > 1 else mean
        figures[model] = {
            TASK: {
                metric: Figure(
                    mean[metric] if len(seeds) == 1 else _moved(mean[metric], [one[metric].mean for one in each]),
                    seed_spread([one[metric].mean for one in each]),
                )
                for metric in single
                if metric in options.metrics
            }
        }
        described[model] = [vars(one) for one in rating_calibration(asked.value, predicted)]
    counts = {"ratings": len(asked), "users": len(np.unique(asked.user)), "known": int((events.split != TEST).sum())}
    return Scores(
        figures,
        {},
        {
            **counts,
            "calibration": described,
            "interval": f"95%, percentile bootstrap over users, {options.resamples} resamples",
        },
    )


def _moved(interval: Interval, means: Sequence[float]) -> Interval:
    """The interval of the mean prediction, moved to the mean of single seeds."""
    by = float(np.mean(means)) - interval.mean
    return Interval(interval.mean + by, interval.low + by, interval.high + by)


RATING = ProtocolKind(RatingProtocol, _answer, _score, _check)
"""Held-out ratings."""
