"""What settings are judged by."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import optuna


class Objective(Protocol):
    """Measures a configuration; more is better."""

    @property
    def metric(self) -> str:
        """The name of what is measured."""

    @property
    def terms(self) -> Mapping[str, Any]:
        """What must be alike, beside the configuration, for two values to be comparable: JSON values by name."""

    def prepare(self) -> None:
        """Do once what all trials need, in the process that starts the others."""

    def __call__(self, configuration: Any, trial: "optuna.Trial", directory: Path) -> float:
        """The value of `configuration`.

        Args:
            configuration: the whole configuration, checked.
            trial: is told of the course, and may end it.
            directory: for files of this trial.

        Raises:
            optuna.TrialPruned: the trial is not worth finishing.
            ConfigError, TrainingError: the configuration cannot be used.
        """
