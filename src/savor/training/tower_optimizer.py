"""Updates of the towers' weights: dense ones by Adam, rows of large embedding tables one by one."""

from typing import Any

import keras
import tensorflow as tf

LARGE_TABLE = 1000
"""Embedding tables with at least so many rows are updated row by row."""

EPSILON = 1e-8


class TowerOptimizer:
    """Adam for dense weights and small tables, row-wise Adagrad for the rows of large tables that a batch used.

    A dense update passes over every row of every table in every step, which is most of the time of a step when tables
    are large. Row-wise Adagrad (Naumov et al. 2019, "Deep Learning Recommendation Model", as in FBGEMM) keeps one
    number per row, the sum of its mean squared gradients G, and subtracts `rate × gradient / sqrt(G)`.

    Made within the scope of the strategy that the weights were made in. Where that has several replicas, each gives the
    gradients of its share of the batch, and all take the same step, by their sum.

    Args:
        weights: trainable `keras.Variable`s.
        rate: of Adam.
        table_rate: of row-wise Adagrad.
        steps: length of the half cosine along which both fall to a tenth.
    """

    def __init__(self, weights: list[Any], rate: float, table_rate: float, steps: int) -> None:
        self._large = [len(weight.shape) == 2 and "embedding" in weight.path and weight.shape[0] >= LARGE_TABLE
                       for weight in weights]  # fmt: skip
        self._adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.1))
        self._adam.build([weight for weight, large in zip(weights, self._large, strict=True) if not large])
        self._table_rate = keras.optimizers.schedules.CosineDecay(table_rate, steps, alpha=0.1)
        self._squares = [
            tf.Variable(tf.zeros(weight.shape[0]), trainable=False)
            for weight, large in zip(weights, self._large, strict=True)
            if large
        ]

    @property
    def variables(self) -> list[Any]:
        """All state, in a fixed order."""
        return [*self._adam.variables, *self._squares]

    def apply(self, gradients: list[Any], weights: list[Any]) -> None:
        """Take one step; `gradients` in the order of `weights`, which is that of the constructor."""
        rate = self._table_rate(self._adam.iterations)
        squares = iter(self._squares)
        dense = []
        for gradient, weight, large in zip(gradients, weights, self._large, strict=True):
            if large:
                _update_rows(weight.value, next(squares), _of_all_replicas(gradient), rate)
            else:
                dense.append((tf.convert_to_tensor(gradient), weight))
        # Keras adds up the gradients of the replicas.
        self._adam.apply([gradient for gradient, _ in dense], [weight for _, weight in dense])


def _of_all_replicas(gradient: Any) -> Any:
    """The rows (`tf.IndexedSlices`) of all replicas, which have equally many, one after the other."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gradient
    values, indices = context.all_gather(gradient.values, 0), context.all_gather(gradient.indices, 0)
    return tf.IndexedSlices(values, indices)


def _update_rows(table: Any, squares: Any, gradient: Any, rate: Any) -> None:
    """Subtract the scaled gradient (`tf.IndexedSlices`) from the rows of `table` it has."""
    rows, place = tf.unique(tf.reshape(gradient.indices, [-1]))
    summed = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    mean_square = tf.reduce_mean(summed**2, axis=1)
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        _subtract(table, squares, rows, summed, mean_square, rate)
    else:
        context.merge_call(_on_each_replica, (table, squares, rows, summed, mean_square, rate))


def _subtract(table: Any, squares: Any, rows: Any, summed: Any, mean_square: Any, rate: Any) -> None:
    squares.scatter_add(tf.IndexedSlices(mean_square, rows))
    scale = rate / (tf.sqrt(tf.gather(squares, rows)) + EPSILON)
    table.scatter_sub(tf.IndexedSlices(summed * scale[:, None], rows))


def _on_each_replica(strategy: Any, table: Any, *rest: Any) -> None:
    strategy.extended.update(table, _subtract, args=rest)
