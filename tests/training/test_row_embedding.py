import keras
import numpy as np
import tensorflow as tf

from savor.training.row_embedding import RowEmbedding


def test_rows_and_gradients_are_those_of_keras():
    ids = np.asarray([[3, 0], [3, 9]], np.int32)
    gradients, rows = [], []
    for kind in (RowEmbedding, keras.layers.Embedding):
        layer = kind(10, 4, embeddings_initializer=keras.initializers.RandomUniform(seed=1))
        layer.build()
        with tf.GradientTape() as tape:
            found = layer(ids)
            loss = tf.reduce_sum(found**2)
        rows.append(np.asarray(found))
        gradients.append(tape.gradient(loss, layer.trainable_variables)[0])
    assert np.array_equal(rows[0], rows[1])
    assert isinstance(gradients[0], tf.IndexedSlices)
    assert gradients[0].values.shape == (4, 4)
    assert np.array_equal(tf.convert_to_tensor(gradients[0]), tf.convert_to_tensor(gradients[1]))


def test_a_step_does_not_read_the_table():
    """Not once, or its rows would be copied at every step; the layer of Keras does."""
    reads = {}
    for kind in (RowEmbedding, keras.layers.Embedding):
        layer = kind(10, 4)
        layer.build()
        graph = tf.function(lambda ids, layer=layer: layer(ids)).get_concrete_function(tf.TensorSpec((None,), tf.int32))
        reads[kind] = [operation.type for operation in graph.graph.get_operations()].count("ReadVariableOp")
    assert reads[RowEmbedding] == 0
    assert reads[keras.layers.Embedding] > 0
