"""Where training stands, on disk, whole or not at all."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.core.files import directory_atomic, write_json_atomic


@dataclass(frozen=True)
class Checkpoint:
    """One moment of a training.

    Attributes:
        arrays: weights, optimizer state and the best weights so far, by name.
        state: everything else, as JSON values.
    """

    arrays: dict[str, NDArray[Any]]
    state: dict[str, Any]


class Checkpoints:
    """Numbered checkpoints in one folder, of which the newest whole one counts.

    A new one is written beside the old one, which is removed only after, so a kill at any moment leaves one.

    Args:
        directory: where they are kept; made when needed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def save(self, step: int, checkpoint: Checkpoint) -> None:
        """Write `checkpoint` as number `step`, then remove all others."""
        name = f"step-{step:010d}"
        with directory_atomic(self._directory / name) as partial:
            with (partial / "arrays.npz").open("wb") as file:
                np.savez(file, **checkpoint.arrays)  # type: ignore[arg-type]
            write_json_atomic(partial / "state.json", checkpoint.state)
        for other in self._directory.iterdir():
            if other.name != name:
                shutil.rmtree(other, ignore_errors=True)

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint; None where there is none.

        Raises:
            TrainingError: it cannot be read.
        """
        if not self._directory.is_dir():
            return None
        whole = sorted(path for path in self._directory.iterdir() if re.fullmatch(r"step-\d+", path.name))
        if not whole:
            return None
        try:
            with (whole[-1] / "arrays.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                content = {name: arrays[name] for name in arrays.files}
            return Checkpoint(content, json.loads((whole[-1] / "state.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise TrainingError(
                f"the checkpoint {whole[-1]} cannot be read ({error}); start again without --resume"
            ) from None

    def clear(self) -> None:
        """Remove all checkpoints."""
        shutil.rmtree(self._directory, ignore_errors=True)
