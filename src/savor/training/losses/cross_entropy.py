"""The softmax cross-entropy of one column of each row, in one pass."""

from typing import Any

import tensorflow as tf


def cross_entropy(scores: Any, target: Any) -> Any:
    """`logsumexp(scores) - scores[target]` per row.

    Under op determinism TensorFlow takes this apart into ops that are several times slower, as its fused kernel may add
    up in any order on a GPU. On a CPU the kernel does a row at a time, so it is used there.

    Args:
        scores: (N, M) float32.
        target: (N,) int32 columns.

    Returns:
        (N,) float32.
    """
    if tf.config.list_physical_devices("GPU"):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(target, scores)
    return tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=scores, labels=target)[0]
