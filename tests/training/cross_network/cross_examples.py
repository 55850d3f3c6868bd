"""Pairs whose choice depends on a product of two features and on the item, and whose rating on a third feature."""

import numpy as np

from savor.features.input_spec import InputSpec
from savor.training.cross_network.examples import CrossExamples

SIGNATURE = {
    "features": InputSpec("float32", (3,), "numeric"),
    "user_id": InputSpec("int32", (), "id", 20, "id"),
    "item_id": InputSpec("int32", (), "id", 10, "id"),
}


def pairs(number: int = 4000, seed: int = 0, rate: float = 0.0) -> CrossExamples:
    """`rate` is added to the log-odds of choice."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((number, 3)).astype(np.float32)
    user, item = rng.integers(1, 20, number).astype(np.int32), rng.integers(1, 10, number).astype(np.int32)
    log_odds = 3 * features[:, 0] * features[:, 1] + (item % 2) * 2 - 1 + rate
    label = (rng.random(number) < 1 / (1 + np.exp(-log_odds))).astype(np.float32)
    rating = np.where(label > 0, 3 + features[:, 2], np.nan).astype(np.float32)
    inputs = {"features": features, "user_id": user, "item_id": item}
    return CrossExamples(inputs, label, rating, (np.arange(number) // 10).astype(np.int32))
