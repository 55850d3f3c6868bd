"""Effect: how much of a list each declared group got."""

import numpy as np

from savor.pipeline.candidates import Candidates
from savor.pipeline.fairness.controller import ExposureController
from savor.pipeline.fairness.declared_groups import DeclaredGroups
from savor.pipeline.fairness.exposure import exposure_shares
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class Exposure:
    """Tells the controller; further pages of a list, which few look at, do not count.

    Args:
        groups: declared ones.
        controller: of those with a `share`.
    """

    name = "exposure"
    reads = frozenset({"item"})
    writes = frozenset[str]()
    required = False

    def __init__(self, groups: DeclaredGroups, controller: ExposureController) -> None:
        self._groups, self._controller = groups, controller
        self._held = np.flatnonzero(groups.shares > 0)

    def note(self, query: Query, hydrated: Hydrated, chosen: Candidates) -> None:  # noqa: ARG002
        """Learn from one list."""
        if len(chosen) and not len(query.shown):
            members = self._groups.members(query.now)[self._held][:, chosen.item]
            self._controller.observe(exposure_shares(members, np.arange(len(chosen)), len(chosen)))
