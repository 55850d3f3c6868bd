"""From `[tracking]` to a tracker."""

from pathlib import Path

import orjson

from savor.core.errors import MissingDependencyError
from savor.core.files import write_json_atomic
from savor.core.progress import console
from savor.training.tracking.composed_tracker import ComposedTracker
from savor.training.tracking.options import TrackingOptions
from savor.training.tracking.tensorboard_tracker import TensorBoardTracker
from savor.training.tracking.tracker import Tracker

DEFAULT_PROJECT = "savor"


def open_tracker(options: TrackingOptions, directory: Path, name: str, *, resume: bool = False) -> Tracker:
    """A tracker that writes to TensorBoard (`directory`/tensorboard) and whoever else `options` names.

    A service that cannot be reached is named in a warning and left out.

    Args:
        options: who keeps it.
        directory: of the training.
        name: of the run, where `options` gives none.
        resume: go on with the runs that the last training in `directory` opened.

    Raises:
        MissingDependencyError: a package is not installed; said before the training, not after.
    """
    remembered = directory / "tracking.json"
    known: dict[str, str] = orjson.loads(remembered.read_bytes()) if resume and remembered.exists() else {}
    trackers: dict[str, Tracker] = {"TensorBoard": TensorBoardTracker(directory / "tensorboard")}
    project, run_name = options.project or DEFAULT_PROJECT, options.name or name
    runs: dict[str, str] = {}
    if options.wandb:
        from savor.training.tracking.wandb_tracker import WandbTracker

        try:
            wandb = WandbTracker(
                directory, project=project, name=run_name, mode=options.wandb_mode, run=known.get("wandb")
            )
            trackers["Weights & Biases"], runs["wandb"] = wandb, wandb.run
        except MissingDependencyError:
            raise
        except Exception as error:  # noqa: BLE001 (a service out of reach does not keep a training from starting)
            _left_out("Weights & Biases", error)
    if options.mlflow:
        from savor.training.tracking.mlflow_tracker import MlflowTracker

        try:
            mlflow = MlflowTracker(
                _store(options, directory), experiment=project, name=run_name, run=known.get("mlflow")
            )
            trackers["MLflow"], runs["mlflow"] = mlflow, mlflow.run
        except MissingDependencyError:
            raise
        except Exception as error:  # noqa: BLE001 (as above)
            _left_out("MLflow", error)
    if runs:
        write_json_atomic(remembered, runs)
    return ComposedTracker(trackers)


def _store(options: TrackingOptions, directory: Path) -> Path | str:
    store = options.mlflow_store
    if store is None:
        return directory / "mlflow"
    return store if "://" in store else Path(store)


def _left_out(name: str, error: Exception) -> None:
    console.print(
        f"  {name} cannot be used ({type(error).__name__}: {error}); the training goes on without",
        style="yellow",
        highlight=False,
        markup=False,
    )
