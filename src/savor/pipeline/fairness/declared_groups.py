"""The groups of `[pipeline.fairness]`, and which items are in them at a moment."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from savor.features.catalogue import Catalogue
from savor.pipeline.fairness.groups import group_members
from savor.pipeline.fairness.options import GroupOptions

_HOUR = 3600


class DeclaredGroups:
    """G groups of the items of one catalogue. Safe from several threads.

    Args:
        options: by name.
        catalogue: of the items.

    Raises:
        BundleError: a group asks for what the catalogue does not have.
    """

    def __init__(self, options: Mapping[str, GroupOptions], catalogue: Catalogue) -> None:
        self._options, self._catalogue = dict(options), catalogue
        self._created = catalogue.created
        self.names = tuple(options)
        self.shares = np.array([group.share for group in options.values()], np.float64)
        self.list_shares = np.array([group.list_share for group in options.values()], np.float64)
        self.boosts = np.array([group.boost for group in options.values()], np.float64)
        self._ages = any(group.new_days is not None for group in options.values())
        self._made = (0, group_members(self._options, catalogue, self._created, 0))

    def members(self, now: int) -> NDArray[np.bool_]:
        """(G, I) bool at `now` (UTC seconds), to the hour."""
        hour = now // _HOUR if self._ages else 0
        made = self._made
        if made[0] != hour:
            made = (hour, group_members(self._options, self._catalogue, self._created, hour * _HOUR))
            self._made = made
        return made[1]
