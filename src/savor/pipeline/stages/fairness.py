"""Adjuster: popularity dampened, declared groups boosted."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.fairness.controller import ExposureController
from savor.pipeline.fairness.declared_groups import DeclaredGroups
from savor.pipeline.fairness.scores import boosted, dampened
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class Fairness:
    """Merit less what popularity takes, plus the boosts: those declared, and those that least shares over time need.

    Args:
        groups: declared ones.
        popularity: (I,) float32.
        strength: of dampening; `weights["popularity"]` of a query takes its place.
        controller: finds the boosts for groups with a `share`.
    """

    name = "fairness"
    reads = frozenset({"item", "score"})
    writes = frozenset[str]()
    required = False

    def __init__(
        self,
        groups: DeclaredGroups,
        popularity: NDArray[np.float32],
        strength: float,
        controller: ExposureController,
    ) -> None:
        self._groups, self._popularity, self._strength, self._controller = groups, popularity, strength, controller
        self._held = np.flatnonzero(groups.shares > 0)

    def adjust(
        self,
        query: Query,
        hydrated: Hydrated,  # noqa: ARG002
        candidates: Candidates,
        merit: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """(N,) float64."""
        strength = query.weights.get("popularity", self._strength)
        if strength:
            merit = dampened(merit, self._popularity[candidates.item], strength)
        if not len(self._groups.boosts):
            return merit
        boosts = self._groups.boosts.copy()
        boosts[self._held] += self._controller.boosts
        if not boosts.any():
            return merit
        return boosted(merit, self._groups.members(query.now)[:, candidates.item], boosts)
