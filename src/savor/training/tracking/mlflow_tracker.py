"""MLflow."""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from time import monotonic, time
from typing import Any

from savor.core.errors import MissingDependencyError
from savor.training.tracking.flat_parameters import flat_parameters

FLUSH_SECONDS = 5.0
LONGEST_BATCH = 1000
"""MLflow's own limit of metrics in one call."""
LONGEST_VALUE = 6000
"""MLflow's own limit of characters in a parameter."""


class MlflowTracker:
    """Writes an SQLite database and files into a folder, or to a tracking server; see `Tracker`.

    Args:
        store: folder for `mlflow.db` and `artifacts/`, or the URI of a tracking server.
        experiment: what runs are gathered under.
        name: of the run.
        run: an earlier run to go on with.

    Raises:
        MissingDependencyError: mlflow, or what it needs to keep a database, is not installed.
    """

    def __init__(self, store: Path | str, *, experiment: str, name: str, run: str | None = None) -> None:
        # Read when mlflow is imported: whether it counts its uses at its makers'.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        try:
            with _quiet():
                import mlflow.entities
                import mlflow.tracking

                for package in ("sqlalchemy", "alembic") if isinstance(store, Path) else ():
                    import_module(package)  # what mlflow keeps a database with, and does not ask for by itself
        except ImportError as error:
            raise MissingDependencyError((error.name or "mlflow").split(".")[0], "track") from None
        self._metric = mlflow.entities.Metric
        self._param = mlflow.entities.Param
        self._waiting: list[Any] = []
        self._flushed = monotonic()
        place = None
        if isinstance(store, Path):
            store.mkdir(parents=True, exist_ok=True)
            place = (store / "artifacts").absolute().as_uri()
            store = f"sqlite:///{(store / 'mlflow.db').absolute()}"
        with _quiet():
            self._client = mlflow.tracking.MlflowClient(tracking_uri=store)
            found = self._client.get_experiment_by_name(experiment)
            if found is None:
                found = self._client.get_experiment(self._client.create_experiment(experiment, place))
            if run is None:
                run = self._client.create_run(found.experiment_id, run_name=name).info.run_id
            else:
                self._client.update_run(run, status="RUNNING")
        self.run = str(run)

    def parameters(self, values: Mapping[str, Any]) -> None:
        """See `Tracker`."""
        with _quiet():
            known = self._client.get_run(self.run).data.params
            wanted = {_name(name): str(value)[:LONGEST_VALUE] for name, value in flat_parameters(values).items()}
            params = [self._param(name, value) for name, value in wanted.items() if known.get(name) != value]
            for start in range(0, len(params), 100):
                self._client.log_batch(self.run, params=params[start : start + 100])

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """See `Tracker`; kept back for some seconds, as each call costs milliseconds."""
        moment = int(time() * 1000)
        self._waiting += [self._metric(_name(name), float(value), moment, step) for name, value in values.items()]
        if monotonic() - self._flushed >= FLUSH_SECONDS or len(self._waiting) >= LONGEST_BATCH:
            self._flush()

    def artifact(self, path: Path) -> None:
        """See `Tracker`."""
        with _quiet():
            self._client.log_artifact(self.run, str(path))

    def finish(self, summary: Mapping[str, float], *, completed: bool = True) -> None:
        """See `Tracker`."""
        step = max((metric.step for metric in self._waiting), default=0)
        self.scalars({f"final/{name}": value for name, value in summary.items()}, step)
        self._flush()
        with _quiet():
            self._client.set_terminated(self.run, "FINISHED" if completed else "FAILED")

    def _flush(self) -> None:
        waiting, self._waiting, self._flushed = self._waiting, [], monotonic()
        with _quiet():
            for start in range(0, len(waiting), LONGEST_BATCH):
                self._client.log_batch(self.run, metrics=waiting[start : start + LONGEST_BATCH])


def _name(name: str) -> str:
    """MLflow knows no `@`: `ndcg@10` is called `ndcg_at_10`."""
    return "".join(one if one.isalnum() or one in "_-. :/" else "_" for one in name.replace("@", "_at_"))


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what mlflow and its database layer say of themselves."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
