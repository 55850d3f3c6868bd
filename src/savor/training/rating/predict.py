"""Models of ratings by name, from what is known to what is asked."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from savor.core.progress import progress
from savor.features.columns import Columns
from savor.training.rating.bayesian_factorization import (
    BayesianFactorization,
    FactorizationOptions,
    FactorizationSample,
)
from savor.training.rating.biases import Biases
from savor.training.rating.calibration import Calibration
from savor.training.rating.contexts import rating_contexts
from savor.training.rating.options import RatingOptions
from savor.training.rating.rating_table import RatingTable
from savor.training.rating.side import column_side, implicit_side

RatingModel = Literal["biases", "factorization", "dcn"]
SET_ASIDE = 0.1
"""Share of the known ratings that an isotonic calibration is fitted on."""


@dataclass(frozen=True)
class RatingTask:
    """N pairs, of which some ratings are known and others asked for.

    Attributes:
        user: (N,) int32 rows of the user table.
        item: (N,) int32 rows of the item table.
        time: (N,) int64 UTC seconds.
        value: (N,) float32 ratings; those not known are not looked at.
        known: (N,) bool.
        users, items: what the tables say.
        number_of_users, number_of_items: their rows.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float32]
    known: NDArray[np.bool_]
    users: Columns
    items: Columns
    number_of_users: int
    number_of_items: int


def predict_ratings(
    model: RatingModel, task: RatingTask, options: RatingOptions, seed: int
) -> tuple[NDArray[np.float32], dict[str, object]]:
    """Fit to the known ratings and predict the others, calibrated.

    Returns:
        (M,) float32 for the M pairs not known, in their order; and what there is to know of the fit.

    Raises:
        TrainingError: there are no known ratings.
    """
    if options.calibration == "isotonic":
        rows = np.flatnonzero(task.known)
        aside = np.random.default_rng(seed).choice(rows, round(SET_ASIDE * len(rows)), replace=False)
        known = task.known.copy()
        known[aside] = False
        first, _ = _predict(model, task, known, options, seed)
        calibration = Calibration.fit("isotonic", first[np.sort(aside)], task.value[np.sort(aside)])
    else:
        calibration = Calibration.fit(options.calibration, task.value[task.known], task.value[task.known])
    predicted, details = _predict(model, task, task.known, options, seed)
    return calibration.apply(predicted[~task.known]), details


def _predict(
    model: RatingModel, task: RatingTask, known: NDArray[np.bool_], options: RatingOptions, seed: int
) -> tuple[NDArray[np.float32], dict[str, object]]:
    """(N,) predictions of all pairs."""
    contexts = rating_contexts(task.user, task.item, task.time, options.time) if model == "factorization" else ()
    table = RatingTable(task.user, task.item, task.value, contexts)
    learnt = table.select(known)
    if model == "biases":
        biases = Biases()
        biases.fit(learnt, task.number_of_users, task.number_of_items)
        return biases.predict(table), {"kind": "mean and shrunk biases of user and item"}
    if model == "dcn":
        # TensorFlow takes seconds to import, so only this model does.
        from savor.training.rating.cross_ratings import cross_ratings

        sizes = task.number_of_users, task.number_of_items
        return cross_ratings(table, known, task.users, task.items, *sizes, options.dcn, seed), {}
    user_side, item_side = _sides(task, learnt, options)
    factorization = BayesianFactorization(
        FactorizationOptions(
            factors=options.factors,
            samples=options.samples,
            warm_up=options.warm_up,
            keep=min(options.keep, options.samples),
            noise_freedom=options.noise_freedom,
        ),
        seed,
    )
    with progress("Rating factorisation", options.warm_up + options.samples) as bar:

        def follow(sweep: int, sample: FactorizationSample) -> None:
            bar.advance(1, f"sweep {sweep + 1}, noise {sample.noise_precision**-0.5:.4f}")

        factorization.fit(
            learnt,
            task.number_of_users,
            task.number_of_items,
            user_side=user_side,
            item_side=item_side,
            context_sizes=[int(codes.max(initial=-1)) + 1 for codes in contexts],
            follow=follow,
        )
    return factorization.predict(table), {"draws": len(factorization.samples), "contexts": len(contexts)}


def _sides(
    task: RatingTask, learnt: RatingTable, options: RatingOptions
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """What is known of users and of items; None for nothing."""
    parts: tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]] = ([], [])
    if options.implicit:
        for held, found in zip(
            parts, implicit_side(learnt, task.number_of_users, task.number_of_items, options.implicit), strict=True
        ):
            held.append(found)
    if options.side:
        for held, columns in zip(parts, (task.users, task.items), strict=True):
            made = column_side(columns)
            if made.size:
                held.append(made)
    user, item = (np.concatenate(held, axis=1) if held else None for held in parts)
    return user, item
