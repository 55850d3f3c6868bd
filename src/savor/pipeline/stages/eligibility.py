"""Hydrator: which items of the catalogue may be shown for this query."""

from typing import Any

import numpy as np

from savor.features.catalogue import Catalogue
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class Eligibility:
    """Stock, exclusions, the items of the moment and the filter as one mask: sources look where something is."""

    name = "eligibility"
    reads = frozenset({"history", "context_items"})
    writes = frozenset({"eligible"})
    required = True

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def hydrate(self, query: Query, hydrated: Hydrated) -> dict[str, Any]:
        """`eligible`: (I,) bool."""
        eligible = self._catalogue.in_stock.copy()
        if query.filter is not None:
            np.logical_and(eligible, query.filter.matches(slice(None)), out=eligible)
        if len(query.exclude):
            eligible[query.exclude] = False
        eligible[hydrated["context_items"]] = False
        if query.exclude_seen:
            eligible[hydrated["history"].item] = False
        return {"eligible": eligible}
