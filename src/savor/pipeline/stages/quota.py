"""Selector: least shares of the exposure of each single list."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Candidates
from savor.pipeline.fairness.declared_groups import DeclaredGroups
from savor.pipeline.fairness.exposure import exposure_shares
from savor.pipeline.fairness.quota import quota_order
from savor.pipeline.merit import merit_of
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated

_ENOUGH = 1e-12


class Quota:
    """Raises items of groups that are short of their `list_share`, by as little as does it.

    It comes after the diversity rules and holds also where it breaks one.

    Args:
        groups: declared ones.
    """

    name = "quota"
    reads = frozenset({"item", "score"})
    writes = frozenset[str]()
    required = False

    def __init__(self, groups: DeclaredGroups) -> None:
        self._groups = groups
        self._held = np.flatnonzero(groups.list_shares > 0)
        self._shares = groups.list_shares[self._held]

    def select(self, query: Query, hydrated: Hydrated, candidates: Candidates) -> NDArray[np.intp]:  # noqa: ARG002
        """All positions."""
        order = np.arange(len(candidates))
        members = self._groups.members(query.now)[self._held][:, candidates.item]
        short = exposure_shares(members, order, query.n) < self._shares - _ENOUGH
        if not len(order) or not (short & members.any(axis=1)).any():
            return order
        falling = np.minimum.accumulate(merit_of(candidates, query.n))
        return quota_order(falling, members, self._shares, query.n)
