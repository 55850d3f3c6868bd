"""Neural collaborative filtering over all items, for comparison with other models."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from savor.data.events import Events
from savor.data.histories import Histories
from savor.models.baselines.seen import mask_seen
from savor.models.interactions import interactions, latest
from savor.models.ranked import Ranked
from savor.training.ncf.examples import PairExamples
from savor.training.ncf.networks import Kind, NcfNetworks
from savor.training.ncf.options import NcfOptions
from savor.training.ncf.scoring import score_all, validation_ndcg
from savor.training.ncf.training import Measure, train_ncf
from savor.training.retrieval_validation import RetrievalValidation


class NcfRecommender:
    """A `Recommender` that scores every pair.

    The number of passes is chosen on the last item of some users, who then come back for a training of that length.

    Args:
        kind: which network.
        options: widths and pace.
        seed: everything random follows from it.
    """

    def __init__(self, kind: Kind, options: NcfOptions | None = None, seed: int = 0) -> None:
        self.name: str = kind
        self._kind, self._options, self._seed = kind, options or NcfOptions(), seed
        self._networks: NcfNetworks | None = None
        self._columns = np.empty(0, np.int32)
        self._seen: sp.csr_matrix | None = None

    def fit(self, events: Events, number_of_users: int, number_of_items: int, now: int) -> None:  # noqa: ARG002
        """See `Recommender.fit`."""
        matrix = interactions(events, number_of_users, number_of_items)
        self._columns = np.unique(matrix.indices).astype(np.int32)
        self._seen = matrix[:, self._columns]
        self._networks = None
        if len(self._columns) < 2:
            return
        rows = latest(events, number_of_items)
        options = self._options
        aside = _last_of_some(events, rows, number_of_users, options.validation_users, self._seed)
        if len(aside):
            kept = np.setdiff1d(rows, aside, assume_unique=True)
            first = train_ncf(
                self._kind,
                self._examples(events, kept, number_of_users, number_of_items),
                options,
                self._seed,
                measure=_measure(events, kept, aside, number_of_users, number_of_items),
                metric="ndcg@10",
            )
            options = options.model_copy(update={"epochs": first.best_epoch})
        examples = self._examples(events, rows, number_of_users, number_of_items)
        self._networks = train_ncf(self._kind, examples, options, self._seed).networks

    def recommend(self, users: NDArray[np.int32], k: int, *, exclude_seen: bool) -> Ranked:
        """See `Recommender.recommend`; a user without events gets nothing."""
        if self._networks is None or self._seen is None:
            return Ranked.empty(len(users), k)
        parts = []
        for start, scores in score_all(self._networks, users, self._columns):
            seen = self._seen[users[start : start + len(scores)]]
            scores[np.diff(seen.indptr) == 0] = -np.inf
            if exclude_seen:
                mask_seen(scores, seen)
            parts.append(Ranked.from_scores(scores, k, self._columns))
        return Ranked.concatenate(parts, k)

    def _examples(self, events: Events, rows: NDArray[np.intp], users: int, items: int) -> PairExamples:
        return PairExamples.of(events.user[rows], events.item[rows], users, items, popularity=self._options.popularity)


def _last_of_some(
    events: Events, rows: NDArray[np.intp], number_of_users: int, maximum: int, seed: int
) -> NDArray[np.intp]:
    """Of at most `maximum` users with three items or more, the position of the last; rising."""
    user = events.user[rows]
    counts = np.bincount(user, minlength=number_of_users)
    able = np.flatnonzero(counts >= 3)
    if len(able) > maximum:
        able = np.random.default_rng(seed).choice(able, maximum, replace=False)
    last = np.full(number_of_users, -1, np.int64)
    last[user] = rows
    return np.sort(last[able])


def _measure(
    events: Events, kept: NDArray[np.intp], aside: NDArray[np.intp], number_of_users: int, number_of_items: int
) -> Measure:
    known = Histories.from_events(events.select(kept), number_of_users)
    order = np.argsort(events.user[aside], kind="stable")
    users, wanted = events.user[aside][order], events.item[aside][order]
    validation = RetrievalValidation.new_items(
        users, events.time[aside][order], known, np.arange(len(users) + 1, dtype=np.int64), wanted
    )
    items = np.arange(number_of_items, dtype=np.int32)
    return lambda networks: validation_ndcg(networks, validation, validation.users, items)
