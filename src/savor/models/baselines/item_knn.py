"""Items that the same people take."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import Field

from savor.core.config import Section
from savor.core.top_k import top_k
from savor.data.events import Events
from savor.models.baselines.seen import mask_seen
from savor.models.interactions import interactions
from savor.models.neighbours import Neighbours
from savor.models.ranked import Ranked

_USERS_PER_BLOCK = 128
_ITEMS_PER_BLOCK = 128


class ItemKnnParams(Section):
    """How alike items are measured and used."""

    neighbours: int = Field(200, ge=1, description="How many neighbours of each item are kept.")
    shrinkage: float = Field(10.0, ge=0, description="Added to the denominator: pulls rare items towards zero.")
    minimum_users: int = Field(5, ge=1, description="Items with fewer users take no part.")
    weighting: Literal["binary", "log"] = Field("binary", description="What a user's events with an item count as.")
    half_life_days: float | None = Field(None, gt=0, description="Decay of what is asked with; absent: age is ignored.")


class ItemKnn:
    """Cosine between the columns of the user-item matrix; an item scores the sum over what the user had.

        similarity(i, j) = <x_i, x_j> / (|x_i| |x_j| + shrinkage)

    Deshpande and Karypis, "Item-based top-N recommendation algorithms", 2004; shrinkage as in Bell and Koren, 2007.
    The K best of each item are kept. Similarities are made 128 rows at a time by each thread, so memory grows with the
    catalogue and not with its square.

    Args:
        params: neighbours, shrinkage and weights.
        threads: of the products; absent: one for each processor.
    """

    name = "item_knn"

    def __init__(self, params: ItemKnnParams | None = None, *, threads: int | None = None) -> None:
        self.params = params or ItemKnnParams()
        self._threads = threads or os.cpu_count()

    @staticmethod
    def grid(mode: Literal["quick", "full"]) -> list[ItemKnnParams]:
        """What is worth trying."""
        if mode == "quick":
            return [ItemKnnParams(shrinkage=10), ItemKnnParams(shrinkage=50)]
        return [
            ItemKnnParams(neighbours=neighbours, shrinkage=shrinkage, weighting=weighting, half_life_days=half_life)
            for neighbours in (50, 200, 800)
            for shrinkage in (0, 10, 50, 200)
            for weighting in ("binary", "log")
            for half_life in (None, 91)
        ]

    def fit(self, events: Events, number_of_users: int, number_of_items: int, now: int) -> None:
        """See `Recommender.fit`."""
        matrix = interactions(events, number_of_users, number_of_items, weighting=self.params.weighting)
        self.table = _nearest(matrix, self.params, self._threads)
        self._similarity = _as_matrix(self.table, number_of_items)
        self._reachable = np.unique(self._similarity.indices).astype(np.int32)
        self._query = interactions(
            events,
            number_of_users,
            number_of_items,
            weighting=self.params.weighting,
            half_life_days=self.params.half_life_days,
            now=now,
        )

    def recommend(self, users: NDArray[np.int32], k: int, *, exclude_seen: bool) -> Ranked:
        """See `Recommender.recommend`."""
        parts = []
        columns = self._reachable
        similarity = self._similarity[:, columns]
        for start in range(0, len(users), _USERS_PER_BLOCK):
            query = self._query[users[start : start + _USERS_PER_BLOCK]]
            scores = (query @ similarity).toarray()
            scores[scores <= 0] = -np.inf
            if exclude_seen:
                mask_seen(scores, query[:, columns])
            parts.append(Ranked.from_scores(scores, k, columns))
        return Ranked.concatenate(parts, k)


def _nearest(matrix: sp.csr_matrix, params: ItemKnnParams, threads: int | None) -> Neighbours:
    number_of_items = matrix.shape[1]
    item = np.full((number_of_items, params.neighbours), -1, np.int32)
    weight = np.zeros((number_of_items, params.neighbours), np.float32)
    by_item = matrix.tocsc()
    kept = np.flatnonzero(np.diff(by_item.indptr) >= params.minimum_users)
    columns = by_item[:, kept]
    by_user = columns.tocsr()
    transposed = columns.T.tocsr()
    norm = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=0), np.float32).ravel())

    def fill(start: int) -> None:
        rows = slice(start, min(start + _ITEMS_PER_BLOCK, len(kept)))
        similarity = (transposed[rows] @ by_user).toarray()
        similarity /= np.outer(norm[rows], norm) + np.float32(params.shrinkage)
        np.fill_diagonal(similarity[:, rows], 0)
        similarity[similarity <= 0] = -np.inf
        places, values = top_k(similarity, params.neighbours)
        chosen = places >= 0
        item[kept[rows]] = np.where(chosen, kept[places], -1)
        weight[kept[rows]] = np.where(chosen, values, 0)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, range(0, len(kept), _ITEMS_PER_BLOCK)))
    return Neighbours(item, weight)


def _as_matrix(table: Neighbours, number_of_items: int) -> sp.csr_matrix:
    used = table.item >= 0
    indptr = np.zeros(number_of_items + 1, np.int64)
    np.cumsum(used.sum(axis=1), out=indptr[1:])
    return sp.csr_matrix((table.weight[used], table.item[used], indptr), shape=(number_of_items, number_of_items))
