"""What a search has found so far."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from savor.training.tuning.study import CHANGES, PRESENT, REASON

if TYPE_CHECKING:
    import optuna

LEAST_TRIALS, PARTS = 4, 3


@dataclass(frozen=True)
class TrialResult:
    """One trial.

    Attributes:
        number: in the order of their beginnings, from 0.
        state: `complete`, `pruned`, `fail`, `running` or `waiting`.
        value: the metric; None without one.
        changes: what was set, by dotted key.
        seconds: how long it took; None while it runs.
        passes: how many passes of a training were reported.
        reason: why it has no value.
        present: whether it ran the configuration as it is.
    """

    number: int
    state: str
    value: float | None
    changes: dict[str, Any]
    seconds: float | None
    passes: int
    reason: str
    present: bool

    def as_json(self) -> dict[str, Any]:
        """Its attributes."""
        return dict(vars(self))


def trial_results(study: "optuna.Study") -> list[TrialResult]:
    """All trials by number."""
    return [_result(trial) for trial in study.get_trials(deepcopy=False)]


def best_of(results: list[TrialResult]) -> TrialResult | None:
    """The trial with the highest value, the first of equals; None where none came to its end."""
    finished = [one for one in results if one.state == "complete" and one.value is not None]
    return max(finished, key=lambda one: (one.value, -one.number)) if finished else None


def importances(study: "optuna.Study") -> dict[str, float]:
    """By dotted key, the share of the spread between trials that the setting explains by itself, largest first.

    ε² (Kelley, 1935): 1 - (1 - η²)(n - 1)/(n - g), the variance between g groups over all of it, less what chance
    gives; groups are the values of a choice, or thirds of a range. Searched settings are not independent of each
    other, so two that went together share what either did. Keys of which fewer than four finished trials say
    something are left out.
    """
    import optuna

    finished = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    shares = {}
    for name in {name for trial in finished for name in trial.params}:
        found = [(trial.params[name], trial.value) for trial in finished if name in trial.params]
        if len(found) >= LEAST_TRIALS and len({value for value, _ in found}) > 1:
            values = np.array([value for _, value in found], np.float64)
            shares[name] = explained(_groups([setting for setting, _ in found]), values)
    return dict(sorted(shares.items(), key=lambda pair: (-pair[1], pair[0])))


def explained(group: NDArray[np.int64], value: NDArray[np.float64]) -> float:
    """ε² of (N,) values in (N,) groups, from 0 to 1."""
    total = float(((value - value.mean()) ** 2).sum())
    count = np.bincount(group)
    present = int((count > 0).sum())
    if total <= 0 or present == len(value):
        return 0.0
    mean = np.bincount(group, value) / np.maximum(count, 1)
    within = float(((value - mean[group]) ** 2).sum())
    return max(0.0, 1 - within / total * (len(value) - 1) / (len(value) - present))


def _groups(settings: list[Any]) -> NDArray[np.int64]:
    """(N,) numbers of groups: one a value, or thirds by rank of numbers of which there are many."""
    distinct = sorted(set(settings), key=lambda value: (str(type(value)), value))
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in distinct)
    place = np.array([distinct.index(value) for value in settings], np.int64)
    return place * PARTS // len(distinct) if numeric and len(distinct) > PARTS else place


def _result(trial: Any) -> TrialResult:
    begun: datetime | None = trial.datetime_start
    ended: datetime | None = trial.datetime_complete
    return TrialResult(
        number=trial.number,
        state=trial.state.name.lower(),
        value=trial.value if trial.state.name == "COMPLETE" else None,
        changes=dict(trial.user_attrs.get(CHANGES, {})),
        seconds=(ended - begun).total_seconds() if begun and ended else None,
        passes=len(trial.intermediate_values),
        reason=str(trial.user_attrs.get(REASON, "")),
        present=bool(trial.user_attrs.get(PRESENT, False)),
    )
