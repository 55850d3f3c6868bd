"""The sampled softmax over the other items of a batch."""

from typing import Any

from keras import ops

from savor.training.losses.cross_entropy import cross_entropy
from savor.training.losses.hidden import without

SMALLEST = 1e-12
"""Chances below this count as this."""


def in_batch_softmax(users: Any, items: Any, item_rows: Any, sampling_probability: Any, temperature: float) -> Any:
    """Softmax cross-entropy of each user's own item against all items of the batch.

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
        (B,) float32.
    """
    log_q = ops.log(ops.maximum(sampling_probability, SMALLEST))
    logits = ops.matmul(users / temperature, ops.transpose(items)) - log_q
    own = ops.arange(ops.shape(item_rows)[0])
    same = ops.equal(ops.expand_dims(item_rows, 1), ops.expand_dims(item_rows, 0))
    accidental = ops.logical_and(same, ops.not_equal(ops.expand_dims(own, 1), own))
    return cross_entropy(without(logits, accidental), own)
