"""Several trackers as one, none of which can harm a training."""

from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from savor.core.progress import console
from savor.training.tracking.tracker import Tracker


class ComposedTracker:
    """Tells every tracker everything; one that raises is named once in a warning and left out from then on.

    Args:
        trackers: by the name that a warning gives them.
    """

    def __init__(self, trackers: Mapping[str, Tracker]) -> None:
        self._trackers = dict(trackers)

    def parameters(self, values: Mapping[str, Any]) -> None:
        """See `Tracker`."""
        self._each(lambda tracker: tracker.parameters(values))

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """See `Tracker`."""
        finite = {name: float(value) for name, value in values.items() if isfinite(value)}
        self._each(lambda tracker: tracker.scalars(finite, step))

    def artifact(self, path: Path) -> None:
        """See `Tracker`."""
        self._each(lambda tracker: tracker.artifact(path))

    def finish(self, summary: Mapping[str, float], *, completed: bool = True) -> None:
        """See `Tracker`."""
        finite = {name: float(value) for name, value in summary.items() if isfinite(value)}
        self._each(lambda tracker: tracker.finish(finite, completed=completed))

    def _each(self, tell: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                tell(tracker)
            except Exception as error:  # noqa: BLE001 (whatever a tracker runs into, the training goes on)
                del self._trackers[name]
                console.print(
                    f"  {name} keeps no more of this training ({type(error).__name__}: {error}); it goes on without",
                    style="yellow",
                    highlight=False,
                    markup=False,
                )
