"""A worker that takes trials until there are none left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time
from traceback import format_exc
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from savor.core.config import Section
from savor.core.errors import ConfigError, SavorError, TrainingError
from savor.core.files import write_text_atomic
from savor.training.tuning.configuration_key import with_values
from savor.training.tuning.objective import Objective
from savor.training.tuning.space import Space
from savor.training.tuning.study import CHANGES, PRESENT, REASON, WORKER, WORKERS
from savor.training.tuning.worker_lock import worker_lock

if TYPE_CHECKING:
    import optuna

FAILURES_IN_A_ROW = 3
"""After so many trials in a row that failed for no foreseen reason, the worker gives up."""


@dataclass(frozen=True)
class Tuner:
    """Runs trials of a study; any number of them may do so at once, in processes of their own.

    Attributes:
        study: where trials come from and go to.
        space: what they may change.
        values: the configuration as it was written, nested.
        kind: what the changed values must be valid as.
        objective: judges them.
        directory: of the study.
    """

    study: "optuna.Study"
    space: Space
    values: Mapping[str, Any]
    kind: type[Section]
    objective: Objective
    directory: Path

    def run(
        self, take: Callable[[], bool], done: Callable[[int], None] = lambda _: None, until: float | None = None
    ) -> None:
        """Run trials for as long as `take` says that there is one more.

        Args:
            take: whether to run another; called before each.
            done: called with the number of each trial that ended.
            until: a moment (seconds since 1970) from which no trial is begun.

        Raises:
            TrainingError: several trials in a row failed for reasons that no setting explains.
            SavorError: something is missing that every trial needs.
        """
        failures = 0
        with worker_lock(self.directory / WORKERS) as worker:
            while (until is None or time() < until) and take():
                number, failure = self._run_one(worker)
                done(number)
                failures = 0 if failure is None else failures + 1
                if failure is not None and failures == FAILURES_IN_A_ROW:
                    raise TrainingError(f"{failures} trials in a row failed; the last: {failure}") from failure

    def _run_one(self, worker: str) -> tuple[int, Exception | None]:
        from optuna import TrialPruned
        from optuna.trial import TrialState

        trial = self.study.ask()
        trial.set_user_attr(WORKER, worker)
        try:
            value = self._value(trial)
        except TrialPruned as reason:
            trial.set_user_attr(REASON, str(reason))
            self.study.tell(trial, state=TrialState.PRUNED)
        except (ConfigError, TrainingError, ValidationError) as error:
            # Told as worst of all, so that the search keeps away from such settings.
            trial.set_user_attr(REASON, _described(error))
            self.study.tell(trial, state=TrialState.PRUNED)
        except Exception as error:  # (one bad setting must not end a night's search)
            trial.set_user_attr(REASON, f"{type(error).__name__}: {error}")
            self.study.tell(trial, state=TrialState.FAIL)
            write_text_atomic(self._folder(trial.number) / "error.txt", format_exc())
            if isinstance(error, SavorError):
                raise
            return trial.number, error
        except BaseException:
            trial.set_user_attr(REASON, "interrupted")
            self.study.tell(trial, state=TrialState.FAIL)
            raise
        else:
            self.study.tell(trial, value)
        return trial.number, None

    def _value(self, trial: "optuna.Trial") -> float:
        changes: dict[str, Any] = {}
        if trial.user_attrs.get(PRESENT):
            self.space.suggest_present(trial)
        else:
            changes = self.space.suggest(trial)
        trial.set_user_attr(CHANGES, changes)
        configuration = self.kind.model_validate(with_values(self.values, changes))
        return self.objective(configuration, trial, self._folder(trial.number))

    def _folder(self, number: int) -> Path:
        return self.directory / "trials" / f"{number:04d}"


def _described(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()
        )
    return str(error)
