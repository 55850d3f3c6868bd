"""Who keeps the course of trainings."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from savor.core.config import Section


class TrackingOptions(Section):
    """`[tracking]` in savor.toml: who keeps the course of trainings, beside TensorBoard, which always does.

    Keys and tokens of services are read from the environment, never from here.
    """

    wandb: bool = Field(False, description="Whether Weights & Biases keeps it too.")
    wandb_mode: Literal["offline", "online"] = Field(
        "offline",
        description="`offline` writes files that `wandb sync` can send later; `online` sends them, with the key in the "
        "environment's WANDB_API_KEY.",
    )
    mlflow: bool = Field(False, description="Whether MLflow keeps it too.")
    mlflow_store: str | None = Field(
        None,
        description="Folder of MLflow's database and files, from the project's folder; or the URI of a tracking "
        "server. By default `.savor/training/mlflow`.",
    )
    project: str | None = Field(
        None, min_length=1, description="Project (W&B) and experiment (MLflow). By default the project's name."
    )
    name: str | None = Field(None, min_length=1, description="Name of the run. By default that of the model.")

    def placed(self, root: Path, store: Path, project: str) -> "TrackingOptions":
        """The same with what depends on the project filled in.

        Args:
            root: the project's folder, which a relative `mlflow_store` counts from.
            store: MLflow's folder where none is given.
            project: its name where none is given.
        """
        given = self.mlflow_store
        place = given if given and "://" in given else str((root / given if given else store).absolute())
        return self.model_copy(update={"mlflow_store": place, "project": self.project or project})
