"""What has to be said beside a figure for it to mean anything."""

from collections.abc import Mapping, Sequence
from typing import Any

from savor.evaluation.bootstrap import RESAMPLES
from savor.evaluation.evaluate import CUTOFFS
from savor.evaluation.holdout import Holdout


def describe_protocol(
    holdout: Holdout,
    split: Mapping[str, Any],
    *,
    seeds: Sequence[int],
    refitted: bool,
    query_time_is_input: bool,
    number_of_users: int,
    fingerprint: str = "",
    cutoffs: Sequence[int] = CUTOFFS,
    resamples: int = RESAMPLES,
    tuned: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The `protocol` part of a report.

    Args:
        holdout: any of the holdouts that were evaluated; gives the counts of all tasks.
        split: `Dataset.split`.
        seeds: of every random choice in training.
        refitted: whether the models were fitted again on training + validation before the test.
        query_time_is_input: whether models were told the moment of the question.
        number_of_users: U, rows of the user table.
        fingerprint: of the data set.
        cutoffs: the k of the metrics.
        resamples: of the bootstrap.
        tuned: by baseline, what was chosen and tried.
    """
    return {
        "candidates": "full catalogue",
        "number_of_items": holdout.number_of_items,
        "number_of_users": number_of_users,
        "data_fingerprint": fingerprint,
        "split": dict(split),
        "split_hash": split.get("hash"),
        "tasks": holdout.counts,
        "exclude_seen": {"all": False, "new": True, "cold_users": False, "cold_items": False},
        "cutoffs": list(cutoffs),
        "interval": {"level": 0.95, "method": "percentile bootstrap over users", "resamples": resamples},
        "interval_of_coverage_and_gini": "delete-group jackknife, 20 groups of users, normal",
        "recall": "recall@k divides by the number relevant, recall_min@k by min(k, number relevant)",
        "ties": "count against the model where its scores are given",
        "seeds": list(seeds),
        "refitted_on_train_and_validation": refitted,
        "query_time_is_input": query_time_is_input,
        "baselines": dict(tuned or {}),
    }
