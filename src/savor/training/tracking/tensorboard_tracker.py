"""TensorBoard's event files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from savor.training.tracking.flat_parameters import flat_parameters


class TensorBoardTracker:
    """Writes an event file into `directory`; see `Tracker`.

    Scalars stand under their names, parameters under `parameters` (text) and the HParams tab, final numbers below
    `final/`.
    """

    def __init__(self, directory: Path) -> None:
        import tensorflow as tf

        self._summary = tf.summary
        self._writer: Any = tf.summary.create_file_writer(str(directory))
        self._step = 0

    def parameters(self, values: Mapping[str, Any]) -> None:
        """See `Tracker`."""
        from tensorboard.plugins.hparams import summary  # type: ignore[import-untyped]

        flat = flat_parameters(values)
        lines = [f"| `{name}` | `{value}` |" for name, value in flat.items()]
        with self._writer.as_default():
            self._summary.text("parameters", "\n".join(["| key | value |", "|---|---|", *lines]), step=0)
            self._summary.experimental.write_raw_pb(summary.session_start_pb(hparams=flat).SerializeToString(), step=0)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """See `Tracker`."""
        self._step = step
        with self._writer.as_default():
            for name, value in values.items():
                self._summary.scalar(name, value, step=step)

    def artifact(self, path: Path) -> None:
        """TensorBoard keeps no files."""

    def finish(self, summary: Mapping[str, float], *, completed: bool = True) -> None:  # noqa: ARG002
        """See `Tracker`."""
        self.scalars({f"final/{name}": value for name, value in summary.items()}, self._step)
        self._writer.close()
