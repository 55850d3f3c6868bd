"""Source: items that nobody had yet, by the words of what the user had."""

import numpy as np
from numpy.typing import NDArray

from savor.features.content_vectors import ContentVectors
from savor.models.text_affinity import text_affinity
from savor.pipeline.candidates import Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated
from savor.pipeline.stages.own_items import OwnItems

_OWN = 50
"""So many of the user's strongest items are looked at."""


class ZeroShot:
    """The k eligible items without any event whose words are nearest to those of the user's own items.

    Args:
        texts: of the items.
        popularity: (I,) events of each item.
        k: how many to bring.
    """

    name = "zero_shot"
    reads = frozenset({"own_items", "eligible"})
    writes = frozenset[str]()
    required = False

    def __init__(self, texts: ContentVectors, popularity: NDArray[np.float32], k: int) -> None:
        self._texts, self._k = texts, k
        rows = texts.rows(np.arange(len(popularity)))
        self._items = np.flatnonzero((popularity == 0) & (rows > 0)).astype(np.int32)
        used, self._place = np.unique(rows[self._items], return_inverse=True)
        self._words = np.asarray(texts.vectors[used], np.float32)

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores are affinities (see `text_affinity`), from 0 to 1."""
        own: OwnItems = hydrated["own_items"]
        strongest = own.strongest(_OWN)
        rows, weight = self._texts.rows(own.item[strongest]), own.weight[strongest]
        rows, weight = rows[rows > 0], weight[rows > 0]
        if not len(rows) or not len(self._items):
            return Retrieved.empty()
        had = np.asarray(self._texts.vectors[rows], np.float32)
        score = text_affinity(weight[None] / weight.sum(), had, self._words)[0, self._place]
        place = np.flatnonzero(hydrated["eligible"][self._items])
        place = place[np.lexsort((place, -score[place]))[: max(self._k, query.depth)]]
        return Retrieved(self._items[place], score[place])
