"""What a factorisation expects of every rating from the user's earlier ones."""

import numpy as np
from numpy.typing import NDArray

from savor.data.splits import TEST, TRAIN, VALIDATION
from savor.training.ctr.fold_in import FoldIn, fold_in
from savor.training.ctr.moment_features import RatedEvents
from savor.training.ctr.options import CtrOptions
from savor.training.rating.bayesian_factorization import BayesianFactorization, FactorizationOptions
from savor.training.rating.rating_table import RatingTable
from savor.training.rating.side import implicit_side

WARM_UP = 12
IMPLICIT = 60


def expectations(
    events: RatedEvents,
    period: NDArray[np.uint8],
    user_side: NDArray[np.float32],
    item_side: NDArray[np.float32],
    options: CtrOptions,
    seed: int,
) -> FoldIn:
    """Expected ratings of N events, each from the events of its user in earlier moments.

    The vectors of items never come from the event itself: for events of the training period they are learnt from other
    users, for those of a later one from the periods before it.

    Args:
        events: in time order.
        period: (N,) uint8, TRAIN, VALIDATION or TEST.
        user_side: (U, P) float32, what is known of the users.
        item_side: (I, Q) float32, what is known of the items.
        options: widths.
        seed: of folds and draws.
    """
    mean, spread = np.empty(len(events)), np.empty(len(events))

    def fill(learn: NDArray[np.bool_], ask: NDArray[np.bool_], take: NDArray[np.bool_], number: int) -> None:
        rows = np.flatnonzero(ask & np.isin(events.user, events.user[take]))
        found = _expect(events, learn, rows, user_side, item_side, options, [seed, number])
        taken = take[rows]
        mean[rows[taken]], spread[rows[taken]] = found.mean[taken], found.spread[taken]

    train = period == TRAIN
    fold = np.random.default_rng(seed).integers(0, options.folds, len(user_side))[events.user]
    for number in range(options.folds):
        own = train & (fold == number)
        fill(train & (fold != number), own, own, number)
    fill(train, period <= VALIDATION, period == VALIDATION, options.folds)
    fill(period <= VALIDATION, np.ones(len(events), np.bool_), period == TEST, options.folds + 1)
    return FoldIn(mean, spread)


def _expect(
    events: RatedEvents,
    learn: NDArray[np.bool_],
    rows: NDArray[np.intp],
    user_side: NDArray[np.float32],
    item_side: NDArray[np.float32],
    options: CtrOptions,
    seed: list[int],
) -> FoldIn:
    """For the events at `rows`, with vectors learnt from those where `learn`; the mean over draws."""
    table = RatingTable(events.user[learn], events.item[learn], events.value[learn])
    width = min(IMPLICIT, len(item_side) - 2, len(user_side) - 2)
    _, implicit = implicit_side(table, len(user_side), len(item_side), width)
    model = BayesianFactorization(
        FactorizationOptions(
            factors=options.factors,
            samples=options.samples,
            warm_up=WARM_UP,
            keep=min(options.draws, options.samples),
            noise_freedom=None,
        ),
        int(np.random.default_rng(seed).integers(1 << 31)),
    )
    sides = np.concatenate([implicit, item_side], axis=1)
    model.fit(table, len(user_side), len(item_side), user_side=user_side, item_side=sides)
    user, item = events.user[rows], events.item[rows]
    target = events.value[rows].astype(np.float64) - model.mean
    mean, variance = np.zeros(len(rows)), np.zeros(len(rows))
    for draw in model.samples:
        own = draw.items[item].astype(np.float64)
        vectors = np.concatenate([own[:, :-1], np.ones((len(rows), 1))], axis=1)
        prior = np.broadcast_to(draw.user_means, (len(user_side), vectors.shape[1]))
        found = fold_in(
            user, events.moment[rows], vectors, own[:, -1], target, prior, draw.user_precision, draw.noise_precision
        )
        mean += found.mean / len(model.samples)
        variance += found.spread**2 / len(model.samples)
    return FoldIn(mean + model.mean, np.sqrt(variance))
