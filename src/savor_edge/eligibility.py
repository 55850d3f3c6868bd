"""Which items may be shown."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from savor_edge.catalogue import EdgeCatalogue
from savor_edge.edge_model import BARRED
from savor_edge.features import EdgeFeatures
from savor_edge.history import History
from savor_edge.item_filter import matching
from savor_edge.request import Request


def allowed_rows(request: Request, catalogue: EdgeCatalogue, history: History) -> NDArray[np.bool_]:
    """(I,) bool: in stock, as the filter wants, not excluded, not of the moment, and not seen where that is asked for.

    Raises:
        EdgeError: the filter cannot be used (code `filter_invalid`).
    """
    allowed = catalogue.in_stock.copy()
    if request.filter:
        allowed &= matching(request.filter, catalogue)
    allowed[rows_of((*request.exclude_items, *request.context_items), catalogue)] = False
    if request.exclude_seen:
        seen = history.item[history.seen]
        allowed[seen[seen < len(catalogue)]] = False
    return allowed


def own_bonus(features: EdgeFeatures, history: History, now: int, items: int) -> NDArray[np.float32]:
    """(`items`,) float32 that the person's own items have on top of their scores; all 0 where none has.

    Args:
        features: say whether own items have a bonus.
        history: of the person.
        now: UTC seconds.
        items: how many items can be recommended.
    """
    if features.own_items is None:
        return np.zeros(items, np.float32)
    return features.own_items.bonus(history, now, items)


def model_mask(allowed: NDArray[np.bool_], bonus: NDArray[np.float32]) -> NDArray[np.float32]:
    """(I,) float32 to add to the model's scores: the bonus of `allowed` rows, and `BARRED` for the rest."""
    return np.where(allowed, bonus, BARRED)


def rows_of(item_ids: Iterable[str], catalogue: EdgeCatalogue) -> list[int]:
    """The rows of those items that can be recommended."""
    return [row for row in map(catalogue.row, item_ids) if row is not None]
