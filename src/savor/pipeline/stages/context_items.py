"""Hydrator: the items that the moment is about."""

from typing import Any

import numpy as np

from savor.features.catalogue import Catalogue
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class ContextItems:
    """Rows of `context["basket"]` and `context["item_id"]`, as far as the catalogue knows them."""

    name = "context_items"
    reads = frozenset[str]()
    writes = frozenset({"context_items"})
    required = True

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def hydrate(self, query: Query, hydrated: Hydrated) -> dict[str, Any]:  # noqa: ARG002
        """`context_items`: (C,) int32, distinct, in the order they came."""
        basket, item = query.context.get("basket"), query.context.get("item_id")
        named = [*(basket if isinstance(basket, list | tuple) else ()), *(() if item is None else (item,))]
        index = self._catalogue.index
        rows = dict.fromkeys(index[text] for text in map(str, named) if text in index)
        return {"context_items": np.fromiter(rows, np.int32, len(rows))}
