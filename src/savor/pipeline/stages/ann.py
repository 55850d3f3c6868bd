"""Source: items near the user vector."""

from savor.pipeline.candidates import Retrieved
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated
from savor.pipeline.vector_search import VectorSearch


class Ann:
    """The k eligible items with the largest inner product."""

    name = "ann"
    reads = frozenset({"user_vector", "eligible"})
    writes = frozenset[str]()
    required = False

    def __init__(self, search: VectorSearch, k: int) -> None:
        self._search, self._k = search, k

    def retrieve(self, query: Query, hydrated: Hydrated) -> Retrieved:
        """Scores are inner products."""
        return self._search.nearest(hydrated["user_vector"], max(self._k, query.depth), hydrated["eligible"])
