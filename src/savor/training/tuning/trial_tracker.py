"""Ends a training that is not worth finishing."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from savor.training.tracking.tracker import VALIDATION, Tracker

if TYPE_CHECKING:
    import optuna

WATCHED = "watched"
"""Attribute of a study: the validation metric that trainings are compared by while they run."""


class TrialTracker:
    """Tells the trial every validation metric of its training, pass by pass; see `Tracker`.

    A training that watches another metric than the first one of the study cannot be compared and runs to its end.

    Args:
        trial: whose training it is.
        within: is told everything too.
    """

    def __init__(self, trial: "optuna.Trial", within: Tracker) -> None:
        self._trial, self._within = trial, within
        self._passes = 0

    def parameters(self, values: Mapping[str, Any]) -> None:
        """See `Tracker`."""
        self._within.parameters(values)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """See `Tracker`.

        Raises:
            optuna.TrialPruned: the training is worse than others were after as many passes.
        """
        self._within.scalars(values, step)
        for name, value in values.items():
            if name.startswith(VALIDATION):
                self._report(name, value)
                break

    def artifact(self, path: Path) -> None:
        """See `Tracker`."""
        self._within.artifact(path)

    def finish(self, summary: Mapping[str, float], *, completed: bool = True) -> None:
        """See `Tracker`."""
        self._within.finish(summary, completed=completed)

    def _report(self, name: str, value: float) -> None:
        from optuna import TrialPruned

        self._passes += 1
        study = self._trial.study
        watched = study.user_attrs.get(WATCHED)
        if watched is None:
            study.set_user_attr(WATCHED, name)
        elif watched != name:
            return
        self._trial.report(value, self._passes)
        if self._trial.should_prune():
            raise TrialPruned(f"below others after pass {self._passes}")
