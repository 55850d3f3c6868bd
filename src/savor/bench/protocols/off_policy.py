"""What other policies would have earned, from the logs of the Open Bandit data (Saito et al., 2020)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Literal

import numpy as np
import pyarrow.csv as csv
from numpy.typing import NDArray
from pydantic import Field

from savor.bench.config import ModelSpec
from savor.bench.outcome import Arrays
from savor.bench.prepare import Prepared
from savor.bench.protocol import Answer, Figure, Figures, ProtocolKind, Scores, seed_mean
from savor.core.config import Section
from savor.core.errors import ConfigError, DataError
from savor.evaluation.bootstrap import RESAMPLES, Interval
from savor.evaluation.off_policy import LoggedRounds, estimate_policy

Floats = NDArray[np.float64]
_COLUMNS = ("item_id", "position", "click", "propensity_score")


class OffPolicyOptions(Section):
    """`[protocol]` of kind `off_policy`."""

    kind: Literal["off_policy"]
    metrics: tuple[str, ...] = ("ips", "snips", "dr", "effective_rounds")
    campaigns: tuple[str, ...] = Field(("all", "men", "women"), min_length=1, description="Each has a log of its own.")
    log: str = Field("bts", description="Folder of the log that policies are estimated from.")
    other_log: str | None = Field(
        None, description="Folder of a log of another policy, from which the same is estimated independently."
    )
    learn: float = Field(0.5, gt=0, lt=1, description="Share of the log, at its beginning, that policies learn from.")
    maximum_weight: float | None = Field(None, gt=0, description="Weights are cut off here; absent: never.")
    prior: float = Field(500, gt=0, description="Rounds that an item's mean reward is drawn to the mean of all by.")
    resamples: int = Field(RESAMPLES, ge=100)


class PolicyParams(Section):
    """`params` of a policy of kind `item_rate`."""

    temperature: float = Field(0.2, gt=0, description="Of a softmax over the logarithms of items' reward rates.")
    explore: float = Field(0.1, ge=0, le=1, description="Share of choices made evenly among all items.")


POLICIES = ("logged", "uniform", "item_rate")


def _check(spec: ModelSpec) -> None:
    if spec.kind not in POLICIES:
        raise ConfigError([f"kind: {spec.kind!r} is none of {', '.join(POLICIES)}"], source=spec.name)
    if spec.kind == "item_rate":
        PolicyParams.model_validate(spec.params)
    elif spec.params:
        raise ConfigError([f"policies of kind {spec.kind} have no params"], source=spec.name)


def _answer(prepared: Prepared, options: OffPolicyOptions, spec: ModelSpec, seed: int, directory: Path) -> Answer:  # noqa: ARG001
    """Arrays `<task>/reward`, `/propensity`, `/target`, `/chosen` and `/policy`: see `estimate_policy`."""
    started = monotonic()
    arrays: Arrays = {}
    for campaign in options.campaigns:
        item, reward, propensity = _read(prepared, options.log, campaign)
        first = round(len(item) * options.learn)
        number = int(item.max()) + 1
        rate = _rates(item[:first], reward[:first], number, options.prior)
        later = slice(first, None)
        logs = {f"{campaign}, from {options.log}": (item[later], reward[later], propensity[later])}
        if options.other_log is not None and spec.kind != "logged":
            logs[f"{campaign}, from {options.other_log}"] = _read(prepared, options.other_log, campaign)
        policy = _policy(spec, rate)
        for task, (chosen, got, probability) in logs.items():
            target = probability if spec.kind == "logged" else policy[chosen]
            arrays[f"{task}/reward"], arrays[f"{task}/propensity"] = got, probability
            arrays[f"{task}/target"], arrays[f"{task}/chosen"] = target, rate[chosen]
            value = rate[chosen].mean() if spec.kind == "logged" else policy @ rate
            arrays[f"{task}/policy"] = np.full(len(got), value)
    return Answer(arrays, monotonic() - started, 0.0, {})


def _rates(item: NDArray[np.int64], reward: Floats, number_of_items: int, prior: float) -> Floats:
    """(I,) mean reward of each item, drawn to the mean of all as if by `prior` more rounds."""
    shown = np.bincount(item, minlength=number_of_items)
    won = np.bincount(item, weights=reward, minlength=number_of_items)
    return np.asarray((won + prior * reward.mean()) / (shown + prior), np.float64)


def _policy(spec: ModelSpec, rate: Floats) -> Floats:
    """(I,) probabilities; the same at every position and for everybody."""
    even = np.full(len(rate), 1 / len(rate))
    if spec.kind != "item_rate":
        return even
    params = PolicyParams.model_validate(spec.params)
    weight = np.exp((np.log(rate) - np.log(rate).max()) / params.temperature)
    return np.asarray((1 - params.explore) * weight / weight.sum() + params.explore * even, np.float64)


def _read(prepared: Prepared, log: str, campaign: str) -> tuple[NDArray[np.int64], Floats, Floats]:
    assert prepared.files is not None
    path = prepared.files / log / campaign / f"{campaign}.csv"
    if not path.is_file():
        raise DataError(
            f"{path} is not there: the logs of the Open Bandit data come with the package obp, in dataset/obd"
        )
    table = csv.read_csv(path, convert_options=csv.ConvertOptions(include_columns=list(_COLUMNS)))
    item, _, reward, propensity = (table.column(name).to_numpy() for name in _COLUMNS)
    return item.astype(np.int64), reward.astype(np.float64), propensity.astype(np.float64)


def _score(prepared: Prepared, options: OffPolicyOptions, answers: Mapping[str, Sequence[Arrays]]) -> Scores:  # noqa: ARG001
    figures: dict[str, Figures] = {}
    counts: dict[str, dict[str, int]] = {}
    for model, seeds in answers.items():
        figures[model] = {}
        for task in dict.fromkeys(name.rpartition("/")[0] for name in seeds[0]):
            rounds = LoggedRounds(seeds[0][f"{task}/reward"], seeds[0][f"{task}/propensity"])
            counts[task] = {"users": len(rounds), "rewards": int(rounds.reward.sum())}
            found = estimate_policy(
                rounds,
                seed_mean([arrays[f"{task}/target"] for arrays in seeds]),
                expected_of_chosen=seeds[0][f"{task}/chosen"],
                expected_of_policy=seeds[0][f"{task}/policy"],
                maximum_weight=options.maximum_weight,
                resamples=options.resamples,
            )
            assert found.dr is not None
            row = {"ips": found.ips, "snips": found.snips, "dr": found.dr}
            row["effective_rounds"] = Interval(found.effective_rounds, np.nan, np.nan)
            figures[model][task] = {name: Figure(row[name]) for name in options.metrics}
    order = {campaign: place for place, campaign in enumerate(options.campaigns)}
    described = {
        "tasks": sorted(counts, key=lambda task: order[task.partition(",")[0]]),
        "questions": counts,
        "interval": f"95%, percentile bootstrap over rounds, {options.resamples} resamples",
        "policies": f"learn from the first {options.learn:.0%} of the log, and are estimated on the rest",
        "reward_model": "each item's mean reward there, drawn to the mean of all",
    }
    return Scores(figures, {}, described)


OFF_POLICY = ProtocolKind(OffPolicyOptions, _answer, _score, _check)
"""Policies from a log with propensities."""
