"""The interface through which trainings tell of their course."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

VALIDATION = "validation/"
"""Scalars of which the name begins so are validation metrics, one value a pass; higher is better."""


class Tracker(Protocol):
    """Keeps what one training says of itself.

    Those that `open_tracker` gives never raise: one that cannot go on says so once and is silent after. Another may
    raise from `scalars` to end the training, as tuning does with a setting that is not worth finishing.
    """

    def parameters(self, values: Mapping[str, Any]) -> None:
        """What the training was asked to do: JSON values by name, tables within tables allowed."""

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Numbers as of `step`, which never falls; `nan` and infinities are left out."""

    def artifact(self, path: Path) -> None:
        """A file that the training made, kept as it is now."""

    def finish(self, summary: Mapping[str, float], *, completed: bool = True) -> None:
        """The last word.

        Args:
            summary: final numbers by name.
            completed: whether the training came to its end; otherwise it failed or was stopped.
        """
