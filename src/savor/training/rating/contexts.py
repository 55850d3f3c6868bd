"""What of the order and time of a rating has biases of its own."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

DAY = 86_400
ITEM_PERIOD = 60 * DAY
RUN = 8
"""How many ratings in a row of a user share a bias."""


def rating_contexts(
    user: NDArray[np.int32], item: NDArray[np.int32], time: NDArray[np.int64], kind: Literal["none", "place", "days"]
) -> tuple[NDArray[np.int32], ...]:
    """Context columns of N pairs, known and asked for together: their times are, whatever the ratings.

    Times must not depend on the ratings: where they were guessed for a part of the ratings that is not a random one,
    `days` tells that part apart, and only `place` may be used.

    Args:
        user: (N,).
        item: (N,).
        time: (N,) UTC seconds; of the ratings of one second the one first in the arrays is first.
        kind: `place` gives the place among the user's ratings in thirds of a doubling, and each run of `RUN` of them;
            `days` also the user's day and the item's two months.
    """
    if kind == "none":
        return ()
    order = np.lexsort((time, user))
    place = np.empty(len(user), np.int64)
    starts = np.concatenate([[0], np.cumsum(np.bincount(user))])
    place[order] = np.arange(len(user)) - starts[user[order]]
    columns = [np.floor(3 * np.log2(place + 1)).astype(np.int32), _pairs(user, place // RUN)]
    if kind == "days":
        columns += [_pairs(user, time // DAY), _pairs(item, (time - time.min(initial=0)) // ITEM_PERIOD)]
    return tuple(columns)


def _pairs(one: NDArray[np.integer], other: NDArray[np.integer]) -> NDArray[np.int32]:
    """(N,) int32, a code for each distinct pair."""
    _, codes = np.unique(np.stack([one.astype(np.int64), other.astype(np.int64)], axis=1), axis=0, return_inverse=True)
    return codes.reshape(-1).astype(np.int32)
