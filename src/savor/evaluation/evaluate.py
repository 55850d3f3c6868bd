"""Models against each other on one holdout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import SavorError
from savor.evaluation.beyond_accuracy import (
    category_diversity,
    coverage,
    exposure,
    exposure_by_decile,
    gini,
    intra_list_diversity,
    novelty,
)
from savor.evaluation.bootstrap import RESAMPLES, Bootstrap, Interval, jackknife
from savor.evaluation.hits import hits_of_lists
from savor.evaluation.holdout import Holdout, Task
from savor.evaluation.metrics import accuracy
from savor.models.ranked import Ranked

CUTOFFS = (10, 20, 100)


@dataclass(frozen=True)
class TaskResult:
    """What came out on one task.

    Attributes:
        task: which one.
        metrics: by model, by metric (`ndcg@10`), with 95% intervals.
        reference: the model the others are compared with, if any.
        differences: reference minus each other model, paired by user, for the accuracy metrics.
        exposure: by model, the share of places for each tenth of the catalogue, most popular first.
    """

    task: Task
    metrics: dict[str, dict[str, Interval]]
    reference: str | None
    differences: dict[str, dict[str, Interval]]
    exposure: dict[str, list[float]]

    def metrics_as_json(self) -> dict[str, Any]:
        """`{"<model>": {"ndcg@10": {"mean", "low", "high"}, …}}`."""
        return _as_json(self.metrics)

    def differences_as_json(self) -> dict[str, Any]:
        """`{"reference": name, "against": {"<model>": {"ndcg@10": {"mean", "low", "high"}, …}}}`."""
        return {"reference": self.reference, "against": _as_json(self.differences)}


def _as_json(table: Mapping[str, Mapping[str, Interval]]) -> dict[str, Any]:
    return {model: {name: value.as_json() for name, value in row.items()} for model, row in table.items()}


def evaluate_lists(
    holdout: Holdout,
    lists: Mapping[str, Ranked | NDArray[np.int32]],
    *,
    cutoffs: Sequence[int] = CUTOFFS,
    resamples: int = RESAMPLES,
    seed: int = 0,
    reference: str | None = None,
    item_vectors: NDArray[np.float32] | None = None,
    item_category: NDArray[np.int32] | None = None,
) -> TaskResult:
    """Measure ranked lists, model by model, on the same users and the same resamples.

    Coverage, novelty, Gini of exposure and diversity are of the first cutoff. Popularity and novelty count what is
    known in the holdout's histories.

    Args:
        holdout: Q questions.
        lists: by model, (Q, k) items best first, -1 padded, row q for `holdout.users[q]`; as `Ranked`, ties in the
            scores count against the model.
        cutoffs: the k of every `metric@k`; those longer than a model's lists are left out for it.
        resamples: of the bootstrap.
        seed: of the bootstrap and the jackknife.
        reference: a model of `lists` to compare all others with.
        item_vectors: (I, D) for the diversity of lists; goes before `item_category`.
        item_category: (I,) codes, 0 unknown, for the diversity of lists.

    Raises:
        SavorError: lists of the wrong number, too short for every cutoff, or with an item twice; no such reference.
    """
    if reference is not None and reference not in lists:
        raise SavorError(f"no lists of the reference {reference!r}; there are {sorted(lists)}")
    known, size = holdout.histories, holdout.number_of_items

    def coverage_of(some: NDArray[np.int32]) -> float:
        return coverage(exposure(some, size))

    def gini_of(some: NDArray[np.int32]) -> float:
        return gini(exposure(some, size))

    popularity = np.bincount(known.item, minlength=size)
    user = np.repeat(np.arange(len(known)), np.diff(known.indptr))
    pairs = np.unique(user * size + known.item)
    users_of_item = np.bincount(pairs % size, minlength=size)
    bootstrap = Bootstrap(len(holdout), resamples=resamples, seed=seed)
    per_user: dict[str, dict[str, NDArray[np.float64]]] = {}
    metrics: dict[str, dict[str, Interval]] = {}
    exposures: dict[str, list[float]] = {}
    for name, given in lists.items():
        items, scores = (given.items, given.scores) if isinstance(given, Ranked) else (given, None)
        used = [k for k in cutoffs if k <= items.shape[1]]
        if not used:
            raise SavorError(
                f"the lists of {name!r} have {items.shape[1]} places, the shortest cutoff is {min(cutoffs)}"
            )
        hits = hits_of_lists(items, holdout.indptr, holdout.items, scores)
        measured = accuracy(hits, holdout.relevant_counts, used)
        per_user[name] = dict(measured)
        first = used[0]
        shown = items[:, :first]
        measured[f"novelty@{first}"] = novelty(shown, users_of_item, len(known))
        if item_vectors is not None:
            measured[f"diversity@{first}"] = intra_list_diversity(shown, item_vectors)
        elif item_category is not None:
            measured[f"diversity@{first}"] = category_diversity(shown, item_category)
        intervals = bootstrap.intervals(np.stack(list(measured.values()), axis=1))
        metrics[name] = dict(zip(measured, intervals, strict=True))
        metrics[name][f"coverage@{first}"] = jackknife(coverage_of, shown, seed=seed)
        metrics[name][f"gini@{first}"] = jackknife(gini_of, shown, seed=seed)
        exposures[name] = exposure_by_decile(exposure(shown, size), popularity).tolist()
    differences = {} if reference is None else _differences(per_user, reference, bootstrap)
    return TaskResult(holdout.task, metrics, reference, differences, exposures)


def _differences(
    per_user: Mapping[str, Mapping[str, NDArray[np.float64]]], reference: str, bootstrap: Bootstrap
) -> dict[str, dict[str, Interval]]:
    own = per_user[reference]
    table = {}
    for name, other in per_user.items():
        if name == reference:
            continue
        shared = [metric for metric in own if metric in other]
        first = np.stack([own[metric] for metric in shared], axis=1)
        second = np.stack([other[metric] for metric in shared], axis=1)
        table[name] = dict(zip(shared, bootstrap.differences(first, second), strict=True))
    return table
