"""Source: items whose words are searched for."""

import numpy as np

from savor.features.catalogue import Catalogue
from savor.pipeline.candidates import Retrieved
from savor.pipeline.live_words import LiveWords
from savor.pipeline.query import Query
from savor.pipeline.search_query import search_query
from savor.pipeline.stage import Hydrated


class SearchWords:
    """The eligible items that fit `context["query"]` best by their words.

    Args:
        words: the index.
        catalogue: the items.
        k: how many to bring.
    """

    name = "search_words"
    reads = frozenset({"eligible"})
    writes = frozenset[str]()
    required = False

    def __init__(self, words: LiveWords, catalogue: Catalogue, k: int) -> None:
        self._words, self._catalogue, self._k = words, catalogue, k

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores are 0 to 1, the share of what is asked for that an item has; see `WordIndex.add`.

        Raises:
            SavorError: the index is not ready, and the query cannot wait.
        """
        text = search_query(query)
        if text is None:
            return Retrieved.empty()
        total = self._words.search(text, self._catalogue, wait=query.deadline is None)
        item = np.flatnonzero((total > 0) & hydrated["eligible"])
        k = max(self._k, query.depth)
        if len(item) > k:
            item = item[np.argpartition(-total[item], k)[:k]]
        item = item[np.lexsort((item, -total[item]))]
        return Retrieved(item.astype(np.int32), total[item])
