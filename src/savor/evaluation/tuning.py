"""Giving every baseline its best parameters before anything is compared with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal

from savor.core.config import Section
from savor.core.errors import TrainingError
from savor.core.progress import progress
from savor.data.events import Events
from savor.evaluation.hits import hits_of_lists
from savor.evaluation.holdout import Holdout, Task
from savor.evaluation.metrics import accuracy
from savor.models.baselines.families import FAMILIES, Family
from savor.models.ranked import Ranked
from savor.models.recommender import Recommender

METRIC = "ndcg@10"
_LENGTH = 20


@dataclass(frozen=True)
class Trial:
    """One setting tried: its parameters, the seconds to fit, and the metric on each task."""

    params: Section
    seconds: float
    value: dict[Task, float]


@dataclass(frozen=True)
class Tuned:
    """A family and what was best for each task.

    Attributes:
        family: the kind of model.
        best: by task, the parameters with the highest metric on validation; the first of equals.
        trials: everything tried, in order.
    """

    family: Family
    best: dict[Task, Section]
    trials: list[Trial] = field(repr=False)

    def make(self, task: Task) -> Recommender:
        """A model with the best parameters for `task` (for `all` where the task was not tuned), not fitted yet."""
        return self.family.make(self.params(task))

    def params(self, task: Task) -> Section:
        """The best parameters for `task`; those for `all`, or the first tried, where it was not tuned."""
        return self.best.get(task) or self.best.get("all") or self.trials[0].params

    def as_json(self) -> dict[str, Any]:
        """Parameters and trials for the protocol of a report."""
        return {
            "best": {task: params.model_dump(mode="json") for task, params in self.best.items()},
            "trials": [
                {
                    "params": trial.params.model_dump(mode="json"),
                    "seconds": round(trial.seconds, 3),
                    METRIC: trial.value,
                }
                for trial in self.trials
            ],
        }


def tune(
    events: Events,
    holdouts: Mapping[Task, Holdout],
    *,
    number_of_users: int,
    number_of_items: int,
    now: int,
    mode: Literal["quick", "full"] = "quick",
    families: Sequence[Family] = FAMILIES,
) -> dict[str, Tuned]:
    """Try every setting of every family on the validation holdouts and keep the best of each task, by ndcg@10.

    Args:
        events: what may be known, all before `now`: the training split.
        holdouts: by task (`all`, and `new` if wanted), on the validation split.
        number_of_users: U.
        number_of_items: I.
        now: UTC seconds, where validation starts.
        mode: `quick` tries few settings, `full` many.
        families: what to tune.

    Returns:
        By the family's name.

    Raises:
        TrainingError: there is no holdout of the task `all`.
    """
    if "all" not in holdouts:
        raise TrainingError("tuning needs a holdout of the task 'all'")
    grids = {family.name: family.grid(mode) for family in families}
    tuned = {}
    with progress("tune baselines", sum(map(len, grids.values()))) as bar:
        for family in families:
            trials = []
            for params in grids[family.name]:
                started = monotonic()
                model = family.make(params)
                model.fit(events, number_of_users, number_of_items, now)
                value = {task: _measure(model, holdout) for task, holdout in _asked(family, holdouts)}
                trials.append(Trial(params, monotonic() - started, value))
                bar.advance(1, family.name)
            best = {task: max(trials, key=lambda trial: trial.value[task]).params for task in trials[0].value}
            tuned[family.name] = Tuned(family, best, trials)
    return tuned


def refit(
    tuned: Mapping[str, Tuned],
    events: Events,
    holdouts: Mapping[Task, Holdout],
    *,
    number_of_users: int,
    number_of_items: int,
    now: int,
    k: int = 100,
) -> dict[Task, dict[str, Ranked]]:
    """Fit the best of each family again on everything before the test, and rank for every holdout.

    A setting that is best for several tasks is fitted once; one model is in memory at a time.

    Args:
        tuned: from `tune`.
        events: what may be known: training and validation splits.
        holdouts: by task, on the test split.
        number_of_users: U.
        number_of_items: I.
        now: UTC seconds, where the test starts.
        k: length of the lists.

    Returns:
        By task and by the family's name: lists for `holdouts[task].users`.
    """
    lists: dict[Task, dict[str, Ranked]] = {task: {} for task in holdouts}
    with progress("fit baselines", len(tuned)) as bar:
        for name, chosen in tuned.items():
            by_params: dict[str, list[tuple[Task, Holdout]]] = {}
            for task, holdout in _asked(chosen.family, holdouts):
                params = chosen.params(task)
                by_params.setdefault(params.model_dump_json(), []).append((task, holdout))
            for wanted in by_params.values():
                model = chosen.make(wanted[0][0])
                model.fit(events, number_of_users, number_of_items, now)
                for task, holdout in wanted:
                    lists[task][name] = model.recommend(holdout.users, k, exclude_seen=holdout.excludes_seen)
            bar.advance(1, name)
    return lists


def _asked(family: Family, holdouts: Mapping[Task, Holdout]) -> Iterator[tuple[Task, Holdout]]:
    for task, holdout in holdouts.items():
        if len(holdout) and (family.offers_unseen or not holdout.excludes_seen):
            yield task, holdout


def _measure(model: Recommender, holdout: Holdout) -> float:
    ranked = model.recommend(holdout.users, _LENGTH, exclude_seen=holdout.excludes_seen)
    hits = hits_of_lists(ranked.items, holdout.indptr, holdout.items, ranked.scores)
    return float(accuracy(hits, holdout.relevant_counts, (10,))[METRIC].mean())
