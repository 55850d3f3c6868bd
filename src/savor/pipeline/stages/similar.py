"""Source: items like those of the moment."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.candidates import Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated
from savor.pipeline.vector_search import VectorSearch

_MOST = 20


class Similar:
    """Items by their largest cosine to one of the last 20 of basket or page.

    Args:
        search: over the item vectors.
        k: how many to bring.
    """

    name = "similar"
    reads = frozenset({"context_items", "eligible"})
    writes = frozenset[str]()
    required = False

    def __init__(self, search: VectorSearch, k: int) -> None:
        self._search, self._k = search, k

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores are cosines."""
        rows: NDArray[np.int32] = hydrated["context_items"][-_MOST:]
        k = max(self._k, query.depth)
        found = [self._search.like(int(row), k, hydrated["eligible"]) for row in rows]
        if len(found) <= 1:
            return found[0] if found else Retrieved.empty()
        item, score = np.concatenate([one.item for one in found]), np.concatenate([one.score for one in found])
        order = np.lexsort((item, -score))
        _, first = np.unique(item[order], return_index=True)
        head = order[np.sort(first)][:k]
        return Retrieved(item[head], score[head])
