"""How good predicted probabilities and ratings are."""

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import SavorError


def auc(labels: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    """The probability that a positive scores above a negative; a tie counts half (Mann and Whitney).

    Args:
        labels: (N,) bool.
        scores: (N,) float.

    Raises:
        SavorError: all labels are the same.
    """
    positives = int(np.count_nonzero(labels))
    negatives = len(labels) - positives
    if not positives or not negatives:
        raise SavorError("AUC needs both positive and negative labels")
    _values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle = ends - (counts - 1) / 2
    rank_sum = middle[inverse][np.asarray(labels, bool)].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def log_loss(labels: NDArray[np.bool_], probabilities: NDArray[np.float32]) -> float:
    """Mean negative log-likelihood in nats; probabilities are kept 1e-7 away from 0 and 1.

    Args:
        labels: (N,) bool.
        probabilities: (N,) float in [0, 1].
    """
    kept = np.clip(np.asarray(probabilities, np.float64), 1e-7, 1 - 1e-7)
    return float(-np.where(labels, np.log(kept), np.log1p(-kept)).mean())


def rmse(targets: NDArray[np.float32], predictions: NDArray[np.float32]) -> float:
    """Root of the mean squared error of two (N,) arrays, in the unit of the rating."""
    difference = np.asarray(targets, np.float64) - np.asarray(predictions, np.float64)
    return float(np.sqrt((difference**2).mean()))


def calibration_error(labels: NDArray[np.bool_], probabilities: NDArray[np.float32], bins: int = 10) -> float:
    """Expected calibration error: the mean gap between predicted and observed rate over bins.

    Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", 2015, with bins of equal size.

    Args:
        labels: (N,) bool.
        probabilities: (N,) float in [0, 1].
        bins: how many groups, sorted by probability.
    """
    order = np.argsort(probabilities, kind="stable")
    gaps = [
        abs(float(np.asarray(labels, np.float64)[part].mean() - np.asarray(probabilities, np.float64)[part].mean()))
        * len(part)
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return sum(gaps) / max(len(order), 1)
