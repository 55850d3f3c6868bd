"""A linear model of items from items with a closed form."""

from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import Field
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import spotrf, spotri
from threadpoolctl import threadpool_limits

from savor.core.config import Section
from savor.core.errors import TrainingError
from savor.core.top_k import top_k
from savor.data.events import Events
from savor.models.baselines.seen import mask_seen
from savor.models.interactions import interactions, recency_ranked
from savor.models.neighbours import Neighbours
from savor.models.ranked import Ranked

_BLOCK = 256


class EaseParams(Section):
    """Strength of the regularisation, size, and how old events fade in what is asked with."""

    regularisation: float = Field(500.0, gt=0, description="λ, the weight of the squared norm.")
    maximum_items: int = Field(8000, ge=1, description="Only so many items with the most users take part.")
    half_life_days: float | None = Field(None, gt=0, description="Decay by age of what is asked with; absent: none.")
    position_decay: float | None = Field(
        None, gt=0, le=1, description="Decay by place: the j-th latest item weighs decay^j; absent: none."
    )


class Ease:
    """EASE (Steck, "Embarrassingly shallow autoencoders for sparse data", 2019, equation 8).

    With X the binary (U, M) matrix and P = (XᵀX + λI)⁻¹, the weights are B = I - P / diag(P) by columns, and the scores
    of a query row q are qB.

    With fewer users than items the same weights come from a U × U system (Woodbury): with Y = (XXᵀ + λI)⁻¹X,
    P = (I - XᵀY) / λ. Training is always on the binary matrix; `half_life_days` and `position_decay` weigh the query.

    Args:
        params: regularisation, size and decay.
        threads: of the linear algebra; absent: as many as it likes.
    """

    name = "ease"

    def __init__(self, params: EaseParams | None = None, *, threads: int | None = None) -> None:
        self.params = params or EaseParams()
        self._threads = threads

    @staticmethod
    def grid(mode: Literal["quick", "full"]) -> list[EaseParams]:
        """What is worth trying."""
        if mode == "quick":
            return [EaseParams(regularisation=strength) for strength in (300, 1000)]
        return [
            EaseParams(regularisation=strength, half_life_days=half_life)
            for strength in (100, 300, 1000, 3000)
            for half_life in (None, 28, 91)
        ]

    def fit(self, events: Events, number_of_users: int, number_of_items: int, now: int) -> None:
        """See `Recommender.fit`.

        Raises:
            TrainingError: the system cannot be solved in float32; the regularisation is too small.
        """
        seen = interactions(events, number_of_users, number_of_items)
        users_of_item = np.diff(seen.tocsc().indptr)
        popular = np.argsort(-users_of_item, kind="stable")[: self.params.maximum_items]
        self._columns = np.sort(popular[users_of_item[popular] > 0]).astype(np.int32)
        self._number_of_items = number_of_items
        self._matrix = seen[:, self._columns]
        self._query = self._queries(events, number_of_users, number_of_items, now)[:, self._columns]
        with threadpool_limits(self._threads, "blas"):
            if number_of_users < len(self._columns):
                self._solve_users()
            else:
                self._solve_items()

    def recommend(self, users: NDArray[np.int32], k: int, *, exclude_seen: bool) -> Ranked:
        """See `Recommender.recommend`."""
        parts = []
        for start in range(0, len(users), _BLOCK):
            block = users[start : start + _BLOCK]
            query = self._query[block]
            with threadpool_limits(self._threads, "blas"):
                scores = self._scores(query)
            scores[np.diff(query.indptr) == 0] = -np.inf
            if exclude_seen:
                mask_seen(scores, query)
            parts.append(Ranked.from_scores(scores, k, self._columns))
        return Ranked.concatenate(parts, k)

    def know(self, events: Events, now: int) -> None:
        """Be asked with other events than were learnt from, of the same users and items; the weights stay."""
        query = self._queries(events, self._matrix.shape[0], self._number_of_items, now)
        self._query = query[:, self._columns]

    def neighbours(self, k: int) -> Neighbours:
        """The k largest positive weights B[i, j] of each item i: what speaks for which other items."""
        item = np.full((self._number_of_items, k), -1, np.int32)
        weight = np.zeros((self._number_of_items, k), np.float32)
        size = len(self._columns)
        for start in range(0, size, _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, size))
            one_each = sp.csr_matrix((np.ones(len(rows), np.float32), (np.arange(len(rows)), rows)), (len(rows), size))
            with threadpool_limits(self._threads, "blas"):
                weights = self._scores(one_each)
            weights[np.arange(len(rows)), rows] = -np.inf
            weights[weights <= 0] = -np.inf
            places, values = top_k(weights, k)
            chosen = places >= 0
            item[self._columns[rows]] = np.where(chosen, self._columns[places], -1)
            weight[self._columns[rows]] = np.where(chosen, values, 0)
        return Neighbours(item, weight)

    def _queries(self, events: Events, number_of_users: int, number_of_items: int, now: int) -> sp.csr_matrix:
        half_life, decay = self.params.half_life_days, self.params.position_decay
        query = interactions(events, number_of_users, number_of_items, half_life_days=half_life, now=now)
        if decay is not None:
            by_place = recency_ranked(events, number_of_users, number_of_items, decay)
            query.data *= by_place.data
        return query

    def _solve_items(self) -> None:
        gram = np.asfortranarray((self._matrix.T @ self._matrix).toarray())
        np.fill_diagonal(gram, gram.diagonal() + np.float32(self.params.regularisation))
        factor, failed = spotrf(gram, lower=1, overwrite_a=1)
        if not failed:
            factor, failed = spotri(factor, lower=1, overwrite_c=1)
        if failed:
            raise TrainingError("EASE: the system is not positive definite in float32; raise `regularisation`")
        inverse = factor
        for start in range(0, len(inverse), _BLOCK):
            end = start + _BLOCK
            inverse[start:end, end:] = inverse[end:, start:end].T
            square = inverse[start:end, start:end]
            square[:] = np.tril(square) + np.tril(square, -1).T
        self._diagonal = inverse.diagonal().copy()
        inverse /= -self._diagonal
        np.fill_diagonal(inverse, 0)
        self._weights: NDArray[np.float32] | None = np.ascontiguousarray(inverse)

    def _solve_users(self) -> None:
        strength = np.float32(self.params.regularisation)
        gram = (self._matrix @ self._matrix.T).toarray()
        np.fill_diagonal(gram, gram.diagonal() + strength)
        try:
            factor = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            raise TrainingError(
                "EASE: the system is not positive definite in float32; raise `regularisation`"
            ) from None
        self._solved = cho_solve(factor, self._matrix.toarray(), overwrite_b=True, check_finite=False)
        reached = np.asarray(self._matrix.multiply(self._solved).sum(axis=0), np.float32).ravel()
        self._diagonal = (1 - reached) / strength
        self._weights = None

    def _scores(self, query: sp.csr_matrix) -> NDArray[np.float32]:
        """(B, M) float32: query (B, M) times B."""
        if self._weights is not None:
            return np.asarray(query @ self._weights, np.float32)
        dense = query.toarray()
        through = (query @ self._matrix.T).toarray() @ self._solved
        return np.asarray(dense - (dense - through) / (self._diagonal * np.float32(self.params.regularisation)))
