"""How much exposure every group has had, for each scenario by itself."""

from collections.abc import Mapping
from threading import Lock

import numpy as np

from savor.pipeline.fairness.controller import ExposureController
from savor.pipeline.fairness.options import FairnessOptions


class ExposureAccount:
    """One controller for each scenario; outlives changes of the catalogue. Safe from several threads.

    Args:
        options: whose groups with a `share` are held to it.
    """

    def __init__(self, options: FairnessOptions) -> None:
        self.targets: Mapping[str, float] = {
            name: group.share for name, group in options.groups.items() if group.share > 0
        }
        self._step = options.step
        self._controllers: dict[str, ExposureController] = {}
        self._lock = Lock()

    def controller(self, scenario: str) -> ExposureController:
        """That of `scenario`, made when it is first asked for."""
        with self._lock:
            if scenario not in self._controllers:
                self._controllers[scenario] = ExposureController(self.targets, step=self._step)
            return self._controllers[scenario]

    def reached(self) -> dict[str, float]:
        """Mean share of exposure by group over the lists of all scenarios; NaN before the first."""
        with self._lock:
            controllers = list(self._controllers.values())
        lists = np.array([one.lists for one in controllers], np.float64)
        if not lists.sum():
            return dict.fromkeys(self.targets, float("nan"))
        shares = [one.reached() for one in controllers]
        return {
            name: float(sum(count * share[name] for count, share in zip(lists, shares, strict=True) if count))
            / float(lists.sum())
            for name in self.targets
        }
