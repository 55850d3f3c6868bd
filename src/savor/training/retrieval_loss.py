"""The sampled softmax over the other items of a batch."""

from typing import Any

import keras_rs
from keras import ops

HIDDEN = -1e9
"""Added to the logit of a candidate that must not count."""


def retrieval_loss(users: Any, items: Any, item_rows: Any, sampling_probability: Any, temperature: float) -> Any:
    """Mean softmax cross-entropy of each user's own item against all items of the batch.

    The logits are `user · item / temperature - log(q)`, q being the chance that the item is drawn into a batch, so that
    often sold items are not pushed away for being frequent negatives (Yi et al. 2019, "Sampling-bias-corrected neural
    modeling for large corpus item recommendations"). The same item in another row of the batch is not a negative.

    Args:
        users: (B, D) float32 user vectors.
        items: (B, D) float32 vectors of the items they chose.
        item_rows: (B,) int32, which items they are.
        sampling_probability: (B,) float32 in (0, 1], q of each item.
        temperature: what inner products are divided by.

    Returns:
        () float32.
    """
    logits = ops.matmul(users, ops.transpose(items)) / temperature
    logits = keras_rs.layers.SamplingProbabilityCorrection(epsilon=1e-12)(logits, sampling_probability)
    size = ops.shape(item_rows)[0]
    same = ops.equal(ops.expand_dims(item_rows, 1), ops.expand_dims(item_rows, 0))
    accidental = ops.logical_and(same, ops.logical_not(ops.eye(size, dtype="bool")))
    logits = ops.where(accidental, HIDDEN, logits)
    chosen = ops.sum(users * items, axis=1) / temperature - ops.log(ops.maximum(sampling_probability, 1e-12))
    return ops.mean(ops.logsumexp(logits, axis=1) - chosen)
