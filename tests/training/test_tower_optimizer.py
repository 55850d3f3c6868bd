import keras
import numpy as np
import pytest
import tensorflow as tf

from savor.training.tower_optimizer import LARGE_TABLE, TowerOptimizer


def test_large_tables_change_only_in_the_rows_used_and_by_the_formula():
    layer = keras.layers.Embedding(LARGE_TABLE, 2, embeddings_initializer="zeros", name="id_embedding")
    layer.build()
    weights = layer.trainable_variables
    optimizer = TowerOptimizer(weights, rate=0.1, table_rate=0.5, steps=10_000_000)
    # Row 3 is used twice: its gradients add up before they are squared.
    gradient = tf.IndexedSlices(tf.constant([[1.0, 0.0], [3.0, 4.0], [2.0, 0.0]]), tf.constant([3, 5, 3]))
    optimizer.apply([gradient], weights)
    table = np.asarray(weights[0])
    assert table[3] == pytest.approx(-0.5 * np.asarray([3, 0]) / np.sqrt(4.5), rel=1e-5)
    assert table[5] == pytest.approx(-0.5 * np.asarray([3, 4]) / np.sqrt(12.5), rel=1e-5)
    assert np.count_nonzero(table.any(axis=1)) == 2
    optimizer.apply([gradient], weights)
    assert np.asarray(weights[0])[5] == pytest.approx(table[5] - 0.5 * np.asarray([3, 4]) / 5, rel=1e-5)


def test_small_tables_and_dense_weights_follow_adam():
    layer = keras.layers.Embedding(LARGE_TABLE - 1, 2, embeddings_initializer="zeros", name="id_embedding")
    layer.build()
    optimizer = TowerOptimizer(layer.trainable_variables, rate=0.1, table_rate=0.5, steps=10_000_000)
    shape = tf.constant([LARGE_TABLE - 1, 2])
    gradient = tf.IndexedSlices(tf.constant([[7.0, -7.0]]), tf.constant([3]), shape)
    optimizer.apply([gradient], layer.trainable_variables)
    assert np.asarray(layer.trainable_variables[0])[3] == pytest.approx([-0.1, 0.1], rel=1e-4)
