"""Ratings by the cross network's rating head."""

import numpy as np
from numpy.typing import NDArray

from savor.features.columns import Columns
from savor.features.input_spec import InputSpec
from savor.features.normaliser import Normaliser
from savor.training.cross_network.examples import CrossExamples
from savor.training.cross_network.options import DcnOptions
from savor.training.cross_network.training import train_cross_network
from savor.training.rating.rating_table import RatingTable

SHRINKAGE = 3.0


def cross_ratings(
    table: RatingTable,
    known: NDArray[np.bool_],
    users: Columns,
    items: Columns,
    number_of_users: int,
    number_of_items: int,
    options: DcnOptions,
    seed: int,
) -> NDArray[np.float32]:
    """Predict the ratings of all pairs of `table` from ids, categories, numbers of items, and means of other ratings.

    Args:
        table: N pairs.
        known: (N,) bool, those whose ratings may be looked at; the means beside a pair leave its own rating out.
        users: what the user table says.
        items: what the item table says.
        number_of_users: rows of the one.
        number_of_items: rows of the other.
        options: structure and pace; `alpha` and `beta` are set to 1 and 0.
        seed: everything random follows from it.

    Returns:
        (N,) float32.

    Raises:
        TrainingError: all known ratings are on one side of their mean.
    """
    mean = float(table.value[known].mean(dtype=np.float64))
    above = np.where(known, table.value - mean, 0.0)
    numbers = [column[table.item].astype(np.float64) for column in items.numerics.values()]
    for rows, size in ((table.user, number_of_users), (table.item, number_of_items)):
        total = np.bincount(rows, weights=above, minlength=size)[rows] - above
        count = np.bincount(rows, weights=known, minlength=size)[rows] - known
        numbers += [total / (count + SHRINKAGE), count.astype(np.float64)]
    features = np.stack(numbers, axis=1).astype(np.float32)
    normaliser = Normaliser.fit(features)
    inputs = {"features": normaliser.transform(features), "user_id": table.user, "item_id": table.item}
    inputs |= {f"user_{place}": one.codes[table.user] for place, one in enumerate(users.categories.values())}
    inputs |= {f"item_{place}": one.codes[table.item] for place, one in enumerate(items.categories.values())}
    signature = {
        name: InputSpec("float32", (normaliser.width,), "numeric")
        if name == "features"
        else InputSpec("int32", (), "id", int(column.max()) + 1)
        for name, column in inputs.items()
    }
    rating = np.where(known, table.value, np.nan).astype(np.float32)
    examples = CrossExamples(inputs, (above > 0).astype(np.float32), rating, np.arange(len(table), dtype=np.int32))
    trained = train_cross_network(
        examples.select(known), signature, options.model_copy(update={"alpha": 1.0, "beta": 0.0}), seed
    )
    return (trained.rating_mean + trained.rating_scale * trained.predict(inputs)[:, 1]).astype(np.float32)
