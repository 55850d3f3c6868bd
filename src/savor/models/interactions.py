"""Events as a sparse matrix of users and items."""

from typing import Literal

import numpy as np
import scipy.sparse as sp

from savor.data.events import Events

SECONDS_PER_DAY = 86_400

Weighting = Literal["binary", "count", "log"]


def interactions(
    events: Events,
    number_of_users: int,
    number_of_items: int,
    *,
    weighting: Weighting = "binary",
    half_life_days: float | None = None,
    now: int = 0,
) -> sp.csr_matrix:
    """What each user did with each item.

    Args:
        events: the events to count.
        number_of_users: U.
        number_of_items: I.
        weighting: `binary` keeps only the latest event of a pair, `count` adds all of them up, `log` is log(1 + count).
        half_life_days: every event weighs 2^(-age / half life); absent means that age does not matter.
        now: UTC seconds from which age is counted.

    Returns:
        (U, I) float32 in canonical form (sorted, without doubles).
    """
    if half_life_days is None:
        weight = np.ones(len(events), np.float32)
    else:
        age = np.maximum(now - events.time, 0) / SECONDS_PER_DAY
        weight = np.exp2(-age / half_life_days).astype(np.float32)
    shape = (number_of_users, number_of_items)
    if weighting == "binary":
        rows = latest(events, number_of_items)
        matrix = sp.csr_matrix((weight[rows], (events.user[rows], events.item[rows])), shape=shape)
    else:
        matrix = sp.csr_matrix((weight, (events.user, events.item)), shape=shape)
        matrix.sum_duplicates()
    matrix.sort_indices()
    if weighting == "log":
        np.log1p(matrix.data, out=matrix.data)
    return matrix


def latest(events: Events, number_of_items: int) -> np.ndarray:
    """(P,) positions of the last event of each (user, item) pair, rising."""
    pair = events.user.astype(np.int64) * number_of_items + events.item
    _, from_the_end = np.unique(pair[::-1], return_index=True)
    return np.sort(len(events) - 1 - from_the_end)


def recency_ranked(events: Events, number_of_users: int, number_of_items: int, decay: float) -> sp.csr_matrix:
    """(U, I) float32: decay^j for the user's j-th latest distinct item (j from 0), the query EASE can be asked with."""
    rows = latest(events, number_of_items)
    order = rows[np.argsort(events.user[rows], kind="stable")]
    user = events.user[order]
    counts = np.bincount(user, minlength=number_of_users)
    ends = np.cumsum(counts)
    place = ends[user] - 1 - np.arange(len(user))
    weight = np.power(np.float32(decay), place.astype(np.float32))
    matrix = sp.csr_matrix((weight, (user, events.item[order])), shape=(number_of_users, number_of_items))
    matrix.sort_indices()
    return matrix
