"""The record of a search, which several processes share and which outlives each of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from savor.core.errors import ConfigError, MissingDependencyError, TrainingError
from savor.training.tuning.options import TuningOptions
from savor.training.tuning.space import Space
from savor.training.tuning.worker_lock import is_alive

if TYPE_CHECKING:
    import optuna

JOURNAL = "journal.log"
"""The study's file."""
WORKERS = "workers"
"""The folder with the locks of the workers."""
PRESENT, WORKER, REASON, CHANGES = "present", "worker", "reason", "changes"
"""Attributes of trials: whether it runs the configuration as it is; who runs it; why it ended without a value; what it
changed."""
LOCK_SECONDS = 10
"""A lock on the file that is older was left by a process that was killed; writing takes milliseconds."""
_COMPARED, _CHOICES = "compared", "choices"
_BEFORE_ITS_WORKER_SIGNS = timedelta(seconds=60)


def has_study(directory: Path) -> bool:
    """Whether a search was begun in `directory`."""
    return (directory / JOURNAL).exists()


def create_study(directory: Path, space: Space, compared: Mapping[str, Any]) -> None:
    """Begin a search, with the present configuration as its first trial.

    Args:
        directory: where its files go.
        space: what is searched.
        compared: everything that must stay as it is for trials to be comparable: metric, data, other keys of the
            configuration. JSON values.

    Raises:
        MissingDependencyError: optuna is not installed.
    """
    optuna = _optuna()
    directory.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(study_name="savor", storage=_storage(directory), direction="maximize")
    study.set_user_attr(_COMPARED, dict(compared))
    study.set_user_attr(_CHOICES, _choices(space))
    study.enqueue_trial(space.present_parameters(), user_attrs={PRESENT: True})


def open_study(directory: Path, options: TuningOptions, seed: int) -> "optuna.Study":
    """The search in `directory`, to ask for trials and to read.

    Args:
        directory: as given to `create_study`.
        options: how settings are chosen and trainings ended early.
        seed: what this process draws follows from it.

    Raises:
        MissingDependencyError: optuna is not installed.
    """
    optuna = _optuna()
    match options.pruner:
        case "median":
            pruner: Any = optuna.pruners.MedianPruner(
                n_startup_trials=options.compared_with, n_warmup_steps=options.pruned_after
            )
        case "hyperband":
            pruner = optuna.pruners.HyperbandPruner()
        case "none":
            pruner = optuna.pruners.NopPruner()
    sampler = optuna.samplers.TPESampler(n_startup_trials=options.random_trials, seed=seed)
    return optuna.load_study(study_name="savor", storage=_storage(directory), sampler=sampler, pruner=pruner)


def check_study(study: "optuna.Study", space: Space, compared: Mapping[str, Any]) -> None:
    """Whether trials of this configuration can be compared with those of the study.

    Raises:
        ConfigError: naming what is different.
    """
    before: dict[str, Any] = study.user_attrs[_COMPARED]
    shared = sorted((before.keys() | compared.keys()) - space.dimensions.keys())
    problems = [
        f"{key} was {before.get(key)!r} and is {compared.get(key)!r}"
        for key in shared
        # A key that was tuned and no longer is stands on one side only.
        if key in before and key in compared and before[key] != compared[key]
    ]
    choices, known = _choices(space), study.user_attrs[_CHOICES]
    problems += [
        f"tuning.space: the choices of {key} are others than before"
        for key in choices.keys() & known.keys()
        if choices[key] != known[key]
    ]
    if problems:
        raise ConfigError(
            [*problems, "what was tried before cannot be compared with this; begin again with: savor tune --restart"],
            source="savor.toml differs from that of the trials so far",
        )
    study.set_user_attr(_CHOICES, known | choices)


def fail_abandoned(study: "optuna.Study", directory: Path) -> list[int]:
    """Mark trials that run in no living process as failed; gives their numbers."""
    optuna = _optuna()
    abandoned = []
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        worker = trial.user_attrs.get(WORKER)
        if worker is None:
            # Optuna's moments are local and have no zone.
            alive = datetime.now() - (trial.datetime_start or datetime.now()) < _BEFORE_ITS_WORKER_SIGNS
        else:
            alive = is_alive(directory / WORKERS, worker)
        if not alive:
            study._storage.set_trial_user_attr(trial._trial_id, REASON, "its process was killed")
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            abandoned.append(trial.number)
    return abandoned


def check_comparable_trials(study: "optuna.Study") -> None:
    """Whether there is anything to report.

    Raises:
        TrainingError: no trial has come to its end.
    """
    optuna = _optuna()
    if not study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)):
        reasons = {trial.user_attrs.get(REASON) for trial in study.get_trials(deepcopy=False)} - {None}
        raise TrainingError(
            "no trial came to its end" + (f": {'; '.join(sorted(map(str, reasons)))}" if reasons else "")
        )


def _choices(space: Space) -> dict[str, list[Any]]:
    return {key: list(dimension.choices) for key, dimension in space.dimensions.items() if dimension.choices}


def _storage(directory: Path) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path = str(directory / JOURNAL)
    return JournalStorage(JournalFileBackend(path, lock_obj=JournalFileOpenLock(path, LOCK_SECONDS)))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise MissingDependencyError("optuna", "tune") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
