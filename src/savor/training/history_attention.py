"""Attention that sums up a history."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("savor")
class HistoryAttention(keras.layers.Layer):  # type: ignore[misc]
    """Sums up a sequence by H learned queries: (B, L, W) and its mask (B, L) to (B, H × W) float32.

    Each head weighs the elements by a masked softmax of `query · element / sqrt(W)` and sums them; an empty sequence
    gives zeros. This is attention pooling as in Lee et al. 2019 (Set Transformer), without projections, which keeps it
    small enough for a phone.

    Args:
        heads: H.
        seed: of the initial queries.
    """

    def __init__(self, heads: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.seed = seed

    def build(self, input_shape: tuple[int | None, ...], *_: Any) -> None:
        """Make the queries (H, W)."""
        initial = keras.initializers.RandomNormal(stddev=0.5, seed=self.seed)
        self.query = self.add_weight(shape=(self.heads, input_shape[-1]), initializer=initial, name="query")

    def call(self, sequence: Any, present: Any) -> Any:
        """Weigh and sum; `present` is 1 where there is an element and 0 on padding."""
        width = sequence.shape[-1]
        scores = ops.matmul(sequence, ops.transpose(self.query)) / width**0.5
        mask = ops.expand_dims(present, -1)
        weights = ops.softmax(scores - (1.0 - mask) * 1e9, axis=1) * mask
        summed = ops.matmul(ops.transpose(weights, (0, 2, 1)), sequence)
        return ops.reshape(summed, (-1, self.heads * width))

    def get_config(self) -> dict[str, Any]:
        """What is needed to make the layer again."""
        return {**super().get_config(), "heads": self.heads, "seed": self.seed}
