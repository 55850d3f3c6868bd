"""Lists from the full catalogue, measured by the product's metrics."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from savor.bench import ranking_models
from savor.bench.config import ModelSpec
from savor.bench.outcome import Arrays
from savor.bench.prepare import Prepared
from savor.bench.protocol import Answer, Figure, Figures, ProtocolKind, Scores, seed_mean, seed_spread
from savor.bench.questions import Questions, RankingOptions
from savor.core.errors import ConfigError
from savor.evaluation.beyond_accuracy import coverage, exposure, gini, novelty
from savor.evaluation.bootstrap import Bootstrap, jackknife
from savor.evaluation.hits import hits_of_lists
from savor.evaluation.holdout import Holdout
from savor.evaluation.metrics import ACCURACY, accuracy

POOLED = "pooled_recall"
"""The share of all held-out pairs that stand in the lists, whoever they belong to."""

OF_LISTS = ("coverage", "gini", "novelty")


def _answer(prepared: Prepared, options: RankingOptions, spec: ModelSpec, seed: int, directory: Path) -> Answer:
    questions = Questions.of(prepared.dataset, options)
    return ranking_models.answer(prepared, questions, options.length, spec, seed, directory)


def _score(prepared: Prepared, options: RankingOptions, answers: Mapping[str, Sequence[Arrays]]) -> Scores:
    questions = Questions.of(prepared.dataset, options)
    names = [(metric, *_parsed(metric)) for metric in options.metrics]
    figures: dict[str, Figures] = {model: {} for model in answers}
    differences: dict[str, Figures] = {}
    for task, holdout in questions.test.items():
        bootstrap = Bootstrap(len(holdout), resamples=options.resamples)
        per_user: dict[str, dict[str, NDArray[np.float64]]] = {}
        for model, seeds in answers.items():
            if f"items/{task}" not in seeds[0]:
                continue
            asked = [(arrays[f"items/{task}"], arrays[f"scores/{task}"]) for arrays in seeds]
            per_user[model], figures[model][task] = _figures(holdout, asked, names, bootstrap)
        if options.reference in per_user:
            own = per_user[options.reference]
            for model, other in per_user.items():
                if model != options.reference:
                    differences.setdefault(model, {})[task] = _differences(own, other, bootstrap)
    return Scores(figures, differences, _described(prepared, options, questions))


def _figures(
    holdout: Holdout,
    seeds: Sequence[tuple[NDArray[np.int32], NDArray[np.float32]]],
    names: Sequence[tuple[str, str, int]],
    bootstrap: Bootstrap,
) -> tuple[dict[str, NDArray[np.float64]], dict[str, Figure]]:
    """Per-user means over seeds of the accuracy metrics, and all metrics with intervals."""
    width = seeds[0][0].shape[1]
    names = [name for name in names if name[2] <= width]
    cutoffs = sorted({k for _, _, k in names})
    counts = holdout.relevant_counts
    hits = [hits_of_lists(items, holdout.indptr, holdout.items, scores) for items, scores in seeds]
    measured = [accuracy(one, counts, cutoffs) for one in hits]
    figures: dict[str, Figure] = {}
    per_user: dict[str, NDArray[np.float64]] = {}
    known = holdout.histories
    for metric, name, k in names:
        if name in ACCURACY:
            values = [one[metric] for one in measured]
            per_user[metric] = seed_mean(values)
            interval = bootstrap.intervals(per_user[metric][:, None])[0]
            figures[metric] = Figure(interval, seed_spread([float(value.mean()) for value in values]))
        elif name == POOLED:
            found = [one[:, :k].sum(axis=1).astype(np.float64) for one in hits]
            interval = bootstrap.ratio(seed_mean(found), counts.astype(np.float64))
            figures[metric] = Figure(interval, seed_spread([float(one.sum() / counts.sum()) for one in found]))
        elif name == "novelty":
            user = np.repeat(np.arange(len(known), dtype=np.int64), np.diff(known.indptr))
            pairs = np.unique(user * holdout.number_of_items + known.item)
            users_of_item = np.bincount(pairs % holdout.number_of_items, minlength=holdout.number_of_items)
            values = [novelty(items[:, :k], users_of_item, len(known)) for items, _ in seeds]
            figures[metric] = Figure(bootstrap.intervals(seed_mean(values)[:, None])[0])
        else:
            of_lists = partial(_of_exposure, coverage if name == "coverage" else gini, holdout.number_of_items)
            figures[metric] = Figure(jackknife(of_lists, seeds[0][0][:, :k]))
    return per_user, figures


def _of_exposure(
    measure: Callable[[NDArray[np.int64]], float], number_of_items: int, items: NDArray[np.int32]
) -> float:
    return measure(exposure(items, number_of_items))


def _differences(
    first: Mapping[str, NDArray[np.float64]], second: Mapping[str, NDArray[np.float64]], bootstrap: Bootstrap
) -> dict[str, Figure]:
    shared = [metric for metric in first if metric in second]
    intervals = bootstrap.differences(
        np.stack([first[metric] for metric in shared], axis=1), np.stack([second[metric] for metric in shared], axis=1)
    )
    return {metric: Figure(interval) for metric, interval in zip(shared, intervals, strict=True)}


def _described(prepared: Prepared, options: RankingOptions, questions: Questions) -> dict[str, object]:
    dataset = prepared.dataset
    return {
        "candidates": "full catalogue; items without an event before the question are not offered",
        "number_of_users": questions.number_of_users,
        "number_of_items": questions.number_of_items,
        "questions": {
            task: {"users": len(holdout), "relevant": len(holdout.items)} for task, holdout in questions.test.items()
        },
        "exclude_seen": {task: holdout.excludes_seen for task, holdout in questions.test.items()},
        "cold_items": {"apart": "left out", "count": "count as missed"}[options.cold_items],
        "users_held_out_whole": questions.dropped_users,
        "query_time_is_input": dataset.split.get("test_start") is not None or options.query_time,
        "interval": f"95%, percentile bootstrap over users, {options.resamples} resamples",
        "ties": "count against the model",
    }


def _parsed(metric: str) -> tuple[str, int]:
    name, _, k = metric.partition("@")
    if name not in (*ACCURACY, POOLED, *OF_LISTS) or not k.isdigit():
        known = ", ".join((*ACCURACY, POOLED, *OF_LISTS))
        raise ConfigError([f"protocol.metrics: {metric!r} is none of {known} with @k"])
    return name, int(k)


RANKING = ProtocolKind(RankingOptions, _answer, _score, ranking_models.check)
"""Ranked lists."""
