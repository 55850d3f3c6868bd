"""Candidates that must not count."""

from typing import Any

from keras import ops

HIDDEN = -1e9
"""The score of a candidate that must not count."""


def without(scores: Any, accidental: Any | None) -> Any:
    """(N, M) `scores`, with `HIDDEN` where `accidental` ((N, M) bool, or None for nowhere) is true."""
    return scores if accidental is None else ops.where(accidental, HIDDEN, scores)


def mean_over_negatives(losses: Any, accidental: Any | None) -> Any:
    """(N,) mean of (N, M) `losses` over the columns that are not `accidental`; 0 where none is left."""
    if accidental is None:
        return ops.mean(losses, axis=1)
    counted = ops.cast(ops.logical_not(accidental), losses.dtype)
    return ops.sum(losses * counted, axis=1) / ops.maximum(ops.sum(counted, axis=1), 1.0)
