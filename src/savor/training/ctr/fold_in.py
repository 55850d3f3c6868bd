"""What a user's earlier ratings say of the next one, through the vectors of items."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class FoldIn(NamedTuple):
    """For N events.

    Attributes:
        mean: (N,) float64, the expected rating less the overall mean.
        spread: (N,) float64, standard deviation of that expectation.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]


def fold_in(
    user: NDArray[np.int32],
    time: NDArray[np.int64],
    vectors: NDArray[np.float64],
    offsets: NDArray[np.float64],
    target: NDArray[np.float64],
    prior_mean: NDArray[np.float64],
    prior_precision: NDArray[np.float64],
    noise_precision: float,
) -> FoldIn:
    """Bayesian linear regression of each user's ratings on the items' vectors, brought forward second by second.

    With prior N(m, Λ⁻¹) of a user's weights and ratings `x·w + offset + noise` of precision α, after the ratings before
    a second the weights are normal with precision `Λ + α Σ x xᵀ`; see Bishop 2006, "Pattern recognition and machine
    learning", equations 3.49 to 3.54. No event sees its own rating or one of the same second.

    Args:
        user: (N,) rows of the user table.
        time: (N,) UTC seconds.
        vectors: (N, D), of the item of each event.
        offsets: (N,), known part of each rating, such as the item's bias.
        target: (N,) ratings less the overall mean; those of events that are only asked about may be anything as long as
            no later event of the user follows.
        prior_mean: (U, D).
        prior_precision: (D, D).
        noise_precision: α.
    """
    order = np.lexsort((time, user))
    who, when = user[order], time[order]
    number, width = vectors.shape
    new_user = np.ones(number, np.bool_)
    new_user[1:] = who[1:] != who[:-1]
    new_second = new_user.copy()
    new_second[1:] |= when[1:] != when[:-1]
    starts = np.flatnonzero(new_second)
    lengths = np.diff(np.append(starts, number))
    first = np.maximum.accumulate(np.where(new_user[starts], np.arange(len(starts)), 0))
    turn = np.arange(len(starts)) - first
    by_turn = np.argsort(turn, kind="stable")
    bounds = np.searchsorted(turn[by_turn], np.arange(turn.max(initial=-1) + 2))
    covariance = np.broadcast_to(np.linalg.inv(prior_precision), (len(prior_mean), width, width)).copy()
    weights = np.array(prior_mean, np.float64)
    mean, spread = np.empty(number), np.empty(number)
    x, rest = vectors[order], (target - offsets)[order]
    for step in range(len(bounds) - 1):
        occasions = by_turn[bounds[step] : bounds[step + 1]]
        size = lengths[occasions]
        place = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        rows = np.repeat(starts[occasions], size) + place
        mean[rows] = np.einsum("nd,nd->n", x[rows], weights[who[rows]])
        spread[rows] = np.sqrt(np.einsum("nd,nde,ne->n", x[rows], covariance[who[rows]], x[rows], optimize=True))
        for number_of in range(int(size.max(initial=0))):
            learnt = rows[place == number_of]
            _learn(weights, covariance, who[learnt], x[learnt], rest[learnt], noise_precision)
    found = FoldIn(np.empty(number), np.empty(number))
    found.mean[order] = mean
    found.spread[order] = spread
    return FoldIn(found.mean + offsets, found.spread)


def _learn(
    weights: NDArray[np.float64],
    covariance: NDArray[np.float64],
    users: NDArray[np.int32],
    x: NDArray[np.float64],
    rest: NDArray[np.float64],
    noise_precision: float,
) -> None:
    """Take in one rating of each of B distinct `users`, in place (Sherman and Morrison 1950)."""
    reached = np.einsum("bde,be->bd", covariance[users], x)
    gain = reached / (1 / noise_precision + np.einsum("bd,bd->b", x, reached))[:, None]
    weights[users] += gain * (rest - np.einsum("bd,bd->b", x, weights[users]))[:, None]
    covariance[users] -= gain[:, :, None] * reached[:, None, :]
