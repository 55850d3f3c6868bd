"""Weights & Biases."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from savor.core.errors import MissingDependencyError
from savor.training.tracking.flat_parameters import flat_parameters


class WandbTracker:
    """Writes below `directory`/wandb, and sends it only in the mode `online`; see `Tracker`.

    Nothing is recorded but what the training says: no console, source code, machine or packages.

    Args:
        directory: where the run's folder is put.
        project: what runs are gathered under.
        name: of the run.
        mode: `offline` opens no connection.
        run: an earlier run to go on with.

    Raises:
        MissingDependencyError: wandb is not installed.
    """

    def __init__(
        self,
        directory: Path,
        *,
        project: str,
        name: str,
        mode: Literal["offline", "online"] = "offline",
        run: str | None = None,
    ) -> None:
        # Read when wandb is imported: whether it reports its own errors home.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        try:
            import wandb
        except ImportError:
            raise MissingDependencyError("wandb", "track") from None
        settings = wandb.Settings(
            silent=True,
            console="off",
            disable_git=True,
            save_code=False,
            x_disable_machine_info=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
        )
        directory.mkdir(parents=True, exist_ok=True)
        self.run = run or uuid4().hex[:8]
        self._run = wandb.init(
            project=project,
            name=name,
            id=self.run,
            dir=str(directory),
            mode=mode,
            # An offline run cannot ask what there is; its files are joined by the id when they are sent.
            resume="allow" if mode == "online" else None,
            settings=settings,
            reinit="create_new",
        )

    def parameters(self, values: Mapping[str, Any]) -> None:
        """See `Tracker`."""
        self._run.config.update(flat_parameters(values), allow_val_change=True)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """See `Tracker`."""
        self._run.log(dict(values), step=step)

    def artifact(self, path: Path) -> None:
        """See `Tracker`."""
        copy = Path(self._run.dir) / path.name
        copy.write_bytes(path.read_bytes())
        self._run.save(str(copy), base_path=self._run.dir, policy="now")

    def finish(self, summary: Mapping[str, float], *, completed: bool = True) -> None:
        """See `Tracker`."""
        self._run.summary.update(dict(summary))
        self._run.finish(exit_code=0 if completed else 1)
