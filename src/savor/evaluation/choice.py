"""How good predicted chances of choice are, and how sure one can be of it."""

import numpy as np
from numpy.typing import NDArray

from savor.evaluation.bootstrap import Bootstrap, Interval
from savor.evaluation.ranking_head import auc, calibration_error, log_loss

METRICS = ("auc", "log_loss", "calibration_error")
RESAMPLES = 200


def choice_figures(
    user: NDArray[np.int32],
    label: NDArray[np.bool_],
    chance: NDArray[np.float32],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Interval]:
    """`auc`, `log_loss` and `calibration_error` of N chances (see `ranking_head`), with intervals over users.

    Args:
        user: (N,) who chose or did not.
        label: (N,) bool.
        chance: (N,) float in [0, 1].
        resamples: of the bootstrap.
        seed: of its draws.

    Raises:
        SavorError: all labels are the same.
    """
    _, row = np.unique(user, return_inverse=True)
    users = int(row.max(initial=-1)) + 1
    kept = np.clip(np.asarray(chance, np.float64), 1e-7, 1 - 1e-7)
    losses = -np.where(label, np.log(kept), np.log1p(-kept))
    bootstrap = Bootstrap(users, resamples=resamples, seed=seed)
    loss = bootstrap.ratio(_sums(row, losses), _sums(row, np.ones(len(row))))
    areas = _weighted_auc(row, users, np.asarray(label, bool), chance, resamples, seed)
    low, high = np.percentile(areas, (2.5, 97.5))
    return {
        "auc": Interval(auc(label, chance), float(low), float(high)),
        "log_loss": Interval(log_loss(label, chance), loss.low, loss.high),
        "calibration_error": Interval(calibration_error(label, chance), np.nan, np.nan),
    }


def _weighted_auc(
    row: NDArray[np.intp],
    users: int,
    label: NDArray[np.bool_],
    chance: NDArray[np.float32],
    resamples: int,
    seed: int,
) -> NDArray[np.float64]:
    """(`resamples`,) AUC with the users drawn anew, each event counting as often as its user was drawn."""
    rng = np.random.default_rng(seed)
    _, place = np.unique(chance, return_inverse=True)
    order = np.argsort(place, kind="stable")
    place, row, label = place[order], row[order], label[order]
    starts = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
    found = np.empty(resamples)
    for number in range(resamples):
        drawn = np.bincount(rng.integers(0, users, users), minlength=users)[row].astype(np.float64)
        positive = np.add.reduceat(np.where(label, drawn, 0.0), starts)
        negative = np.add.reduceat(np.where(label, 0.0, drawn), starts)
        below = np.cumsum(negative) - negative
        total = positive.sum() * negative.sum()
        found[number] = (positive * (below + negative / 2)).sum() / total if total else np.nan
    return found[~np.isnan(found)]


def _sums(row: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of `values` by row."""
    return np.bincount(row, weights=values).astype(np.float64)
