"""An embedding that reads only the rows it needs."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("savor")
class RowEmbedding(keras.layers.Embedding):  # type: ignore[misc]
    """`keras.layers.Embedding` without its copy of the table.

    Keras reads the whole table and gathers from that. Once rows of a variable were updated one by one, TensorFlow
    copies it at every such read, so a step would take as long as the table is large. Here rows are gathered from the
    variable itself.
    """

    def call(self, inputs: Any) -> Any:
        """(…, W) rows of the table for (…) whole numbers."""
        rows = tf.gather(self.embeddings.value, ops.cast(inputs, "int32"))
        return ops.cast(rows, self.compute_dtype)
