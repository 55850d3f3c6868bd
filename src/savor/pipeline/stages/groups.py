"""Source: items of groups that are due a share of the exposure."""

from collections.abc import Sequence

import numpy as np

from savor.pipeline.candidates import Retrieved
from savor.pipeline.fairness.declared_groups import DeclaredGroups
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated
from savor.pipeline.stages.popular import Popular
from savor.pipeline.vector_search import VectorSearch


class Groups:
    """The items of each such group that are nearest to the user vector; without one, its most popular items.

    Without them a new item, which no other source knows, would have no exposure to be given.

    Args:
        groups: declared ones.
        rows: which of them.
        search: over the item vectors; None where there are none.
        popular: where there is no user vector.
        k: how many from each group.
    """

    name = "groups"
    reads = frozenset({"eligible"})
    writes = frozenset[str]()
    required = False

    def __init__(
        self, groups: DeclaredGroups, rows: Sequence[int], search: VectorSearch | None, popular: Popular, k: int
    ) -> None:
        self._groups, self._rows, self._search, self._popular, self._k = groups, tuple(rows), search, popular, k

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores fall with the place in the group."""
        members = self._groups.members(query.now)
        vector, places = hydrated.get("user_vector"), []
        k = max(self._k, query.depth)
        for row in self._rows:
            eligible = hydrated["eligible"] & members[row]
            if vector is not None and self._search is not None:
                places.append(self._search.nearest(vector, k, eligible).item)
            else:
                nothing = np.empty(0, np.int32)
                places.append(self._popular.fill(k, {"eligible": eligible}, taken=nothing).item)
        if not places:
            return Retrieved.empty()
        item = np.concatenate(places)
        place = np.concatenate([np.arange(1, len(one) + 1) for one in places])
        order = np.lexsort((item, place))
        _, first = np.unique(item[order], return_index=True)
        head = order[np.sort(first)]
        return Retrieved(item[head].astype(np.int32), (1 / place[head]).astype(np.float32))
