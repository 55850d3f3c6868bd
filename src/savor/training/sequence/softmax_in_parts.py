"""The softmax over all items, a part of the rows at a time."""

from typing import Any

import tensorflow as tf

PART = 512
"""Rows whose scores are held at once: with a few thousand items they stay in the processor's cache."""


def mean_softmax_in_parts(vectors: Any, table: Any, bias: Any, target: Any, precision: str = "float32") -> Any:
    """Mean over rows of `losses.full_softmax`, without ever holding all N × I scores.

    Both gradients are made in the forward pass, while a part's scores are at hand, so that nothing is kept for the
    backward one. That is faster, too: the scores of a whole batch go through memory several times.

    Args:
        vectors: (N, D) float32, already divided by the temperature.
        table: (I, D) float32.
        bias: (I,) float32 added to the scores.
        target: (N,) int32 rows of `table`.
        precision: of the matrix products.

    Returns:
        () float32.
    """
    return _mean_softmax(tf.convert_to_tensor(vectors), tf.convert_to_tensor(table), tf.convert_to_tensor(bias),
                         tf.convert_to_tensor(target), tf.as_dtype(precision))  # fmt: skip


def _mean_softmax(vectors: Any, table: Any, bias: Any, target: Any, precision: Any) -> Any:
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def loss(vectors: Any, table: Any, bias: Any) -> Any:
        rows = tf.shape(vectors)[0]
        parts = (rows + PART - 1) // PART
        missing = parts * PART - rows
        padded = tf.cast(tf.pad(vectors, [[0, missing], [0, 0]]), precision)
        wanted = tf.pad(target, [[0, missing]])
        share = tf.pad(tf.ones(rows), [[0, missing]]) / tf.cast(rows, tf.float32)
        items = tf.cast(table, precision)

        def part(number: Any, total: Any, of_vectors: Any, of_table: Any, of_bias: Any) -> Any:
            here = slice(number * PART, (number + 1) * PART)
            one, right, counted = padded[here], wanted[here], share[here]
            scores = tf.cast(tf.matmul(one, items, transpose_b=True), tf.float32) + bias
            highest = tf.reduce_max(scores, 1, keepdims=True)
            raised = tf.exp(scores - highest)
            everything = tf.reduce_sum(raised, 1, keepdims=True)
            losses = tf.math.log(everything[:, 0]) + highest[:, 0] - tf.gather(scores, right, batch_dims=1)
            chosen = tf.stack([tf.range(PART), right], 1)
            gradient = tf.tensor_scatter_nd_sub(raised * (counted[:, None] / everything), chosen, counted)
            of_bias += tf.reduce_sum(gradient, 0)
            gradient = tf.cast(gradient, precision)
            of_vectors = of_vectors.write(number, tf.cast(tf.matmul(gradient, items), tf.float32))
            of_table += tf.cast(tf.matmul(gradient, one, transpose_a=True), tf.float32)
            return number + 1, total + tf.reduce_sum(losses * counted), of_vectors, of_table, of_bias

        nothing = tf.TensorArray(tf.float32, parts, element_shape=(PART, table.shape[1]))
        begin = (tf.constant(0), tf.constant(0.0), nothing, tf.zeros_like(table), tf.zeros_like(bias))
        _, total, of_vectors, of_table, of_bias = tf.while_loop(
            lambda number, *_: number < parts, part, begin, parallel_iterations=1, maximum_iterations=parts
        )
        by_vectors = of_vectors.concat()[:rows]
        return total, lambda upstream: (upstream * by_vectors, upstream * of_table, upstream * of_bias)

    return loss(vectors, table, bias)
