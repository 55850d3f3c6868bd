"""Source: items whose text means what is searched for."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from savor.features.content_vectors import ContentVectors
from savor.pipeline.candidates import Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated

_LEAST = 0.3


class SearchMeaning:
    """The eligible items whose text vector has a cosine of at least .3 to that of the search, nearest first.

    Args:
        texts: of the items.
        k: how many to bring.
    """

    name = "search_meaning"
    reads = frozenset({"search_vector", "eligible"})
    writes = frozenset[str]()
    required = False

    def __init__(self, texts: ContentVectors, k: int) -> None:
        self._texts, self._k = texts, k

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """(V, W), in memory: those of the bundle are mapped, and may be of half precision."""
        return np.asarray(self._texts.vectors, np.float32)

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores are cosines; items with one text share theirs."""
        vector: NDArray[np.float32] | None = hydrated["search_vector"]
        if vector is None:
            return Retrieved.empty()
        eligible: NDArray[np.bool_] = hydrated["eligible"]
        score = (self._vectors @ vector)[self._texts.rows(np.arange(len(eligible)))]
        item = np.flatnonzero((score >= _LEAST) & eligible)
        k = max(self._k, query.depth)
        if len(item) > k:
            item = item[np.argpartition(-score[item], k)[:k]]
        item = item[np.lexsort((item, -score[item]))]
        return Retrieved(item.astype(np.int32), score[item])
