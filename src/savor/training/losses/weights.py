"""Weights that make up for imbalanced labels."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def class_weights(labels: NDArray[np.integer], classes: int, *, effective: float | None = None) -> NDArray[np.float32]:
    """How much an example of each class should count, so that the mean weight of the `labels` is 1.

    Args:
        labels: (N,) whole numbers in `range(classes)`.
        classes: how many there are.
        effective: None weighs a class by one over its count, so that all classes count the same in sum. A β in [0, 1)
            weighs by `(1 - β) / (1 - β^count)`, which levels off for large classes (Cui et al. 2019, "Class-balanced
            loss based on effective number of samples").

    Returns:
        (`classes`,) float32; 0 for a class without examples.
    """
    count = np.bincount(labels, minlength=classes).astype(np.float64)
    size = count if effective is None else (1 - effective**count) / (1 - effective)
    weight = np.divide(1.0, size, out=np.zeros(classes), where=count > 0)
    total = float((weight * count).sum())
    return (weight * (count.sum() / total if total else 0.0)).astype(np.float32)


def kind_weights(weights: Mapping[str, float], kinds: Sequence[str]) -> NDArray[np.float32]:
    """(`len(kinds)`,) float32: the weight of each kind of event; 1 where `weights` does not name it.

    Raises:
        ValueError: `weights` names a kind there is none of.
    """
    if unknown := sorted(set(weights) - set(kinds)):
        raise ValueError(f"there are no events of kind {unknown}, only {list(kinds)}")
    return np.asarray([weights.get(kind, 1.0) for kind in kinds], np.float32)
