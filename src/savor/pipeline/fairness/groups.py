"""Which items belong to a declared group."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError
from savor.features.catalogue import Catalogue
from savor.pipeline.fairness.options import GroupOptions
from savor.pipeline.item_filter import FilterError, ItemFilter

_DAY = 86_400


def group_members(
    groups: Mapping[str, GroupOptions], catalogue: Catalogue, created: NDArray[np.int64] | None, now: int
) -> NDArray[np.bool_]:
    """Members of every group.

    Args:
        groups: G groups by name.
        catalogue: I items.
        created: (I,) int64 UTC seconds when each item came; negative where unknown, and None where that is not kept.
        now: UTC seconds.

    Returns:
        (G, I) bool.

    Raises:
        BundleError: a group asks for what the catalogue does not have; names every such group.
    """
    members = np.ones((len(groups), len(catalogue)), np.bool_)
    problems = []
    for row, (name, group) in enumerate(groups.items()):
        try:
            if group.filter is not None and (parsed := ItemFilter.parse(group.filter, catalogue)) is not None:
                members[row] &= parsed.matches(slice(None))
        except FilterError as error:
            problems.append(f"group {name!r}: {error}")
        if group.new_days is not None:
            if created is None:
                problems.append(f"group {name!r}: new_days needs items with a `created` column")
            else:
                members[row] &= (created >= 0) & (created >= now - group.new_days * _DAY)
        if group.owner_items is not None:
            if catalogue.owner is None:
                problems.append(f"group {name!r}: owner_items needs items with an `owner` column")
            else:
                codes = catalogue.owner.codes
                members[row] &= (codes > 0) & (np.bincount(codes)[codes] <= group.owner_items)
    if problems:
        raise BundleError("; ".join(problems))
    return members
