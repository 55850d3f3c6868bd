"""Negatives that the user was shown and did not choose."""

import numpy as np

from savor.data.events import Events
from savor.training.negatives.pools import PooledNegatives


def shown_negatives(events: Events, kind: int, count: int, number_of_users: int) -> PooledNegatives:
    """Pools by user of the items in events of `kind` after which the user never had an event of another kind with them.

    Args:
        events: what may be known.
        kind: number of the kind that says an item was shown.
        count: how many to draw for each example.
        number_of_users: U.
    """
    order = np.lexsort((events.time, events.item, events.user))
    user, item = events.user[order], events.item[order]
    shown, time = events.kind[order] == kind, events.time[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (user[1:] != user[:-1]) | (item[1:] != item[:-1])
    first = np.flatnonzero(begins)
    if not len(first):
        return PooledNegatives(count, "user", np.zeros(number_of_users + 1, np.int64), np.empty(0, np.int32))
    never = np.iinfo(np.int64).min
    last_shown = np.maximum.reduceat(np.where(shown, time, never), first)
    last_chosen = np.maximum.reduceat(np.where(shown, never, time), first)
    kept = first[last_shown > last_chosen]
    indptr = np.zeros(number_of_users + 1, np.int64)
    np.cumsum(np.bincount(user[kept], minlength=number_of_users), out=indptr[1:])
    return PooledNegatives(count, "user", indptr, item[kept])
