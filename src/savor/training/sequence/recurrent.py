"""Gated recurrent units over histories, newest event first."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from savor.training.sequence.options import SequenceOptions


@keras.saving.register_keras_serializable("savor")
class Recurrent(keras.layers.Layer):  # type: ignore[misc]
    """(B, T, W) events, newest first, to (B, T, W) vectors: the t-th sees the events `t:` only.

    Layers of gated recurrent units (Cho et al. 2014; for recommendation GRU4Rec, Hidasi et al. 2016), each read from
    the oldest event to the newest, then a norm. The first state of each is learned, and kept where there is no event.

    Where T is known when the graph is made the steps are written out, so that the network exports without loops.

    Args:
        options: as JSON values or `SequenceOptions`.
        seed: of weights and dropout.
    """

    def __init__(self, options: SequenceOptions | dict[str, Any], seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.options = SequenceOptions.model_validate(options)
        self.seed = seed
        self._random = keras.random.SeedGenerator(seed)

    def build(self, *_: Any) -> None:
        """Make the weights."""
        width = self.options.width
        self.gain = self.add_weight(shape=(width,), initializer="ones", name="norm_gain")
        self.bias = self.add_weight(shape=(width,), initializer="zeros", name="norm_bias")
        self.layers = []
        for number in range(self.options.blocks):
            seed = 1000 * self.seed + 3 * number
            self.layers.append(
                (
                    self.add_weight(
                        shape=(width, 3 * width),
                        initializer=keras.initializers.GlorotUniform(seed=seed),
                        name=f"layer_{number}_input_kernel",
                    ),
                    self.add_weight(
                        shape=(width, 3 * width),
                        initializer=keras.initializers.GlorotUniform(seed=seed + 1),
                        name=f"layer_{number}_state_kernel",
                    ),
                    self.add_weight(shape=(2, 3 * width), initializer="zeros", name=f"layer_{number}_bias"),
                    self.add_weight(
                        shape=(width,),
                        initializer=keras.initializers.RandomNormal(stddev=0.1, seed=seed + 2),
                        name=f"layer_{number}_start",
                    ),
                )
            )

    def call(
        self, events: Any, present: Any, seconds: Any | None = None, training: bool = False, newest_only: bool = False
    ) -> Any:
        """The states after each event, or with `newest_only` after the newest, (B, 1, W).

        Args:
            events: (B, T, W) float32.
            present: (B, T) bool.
            seconds: not looked at.
            training: whether to drop out.
            newest_only: leave out all but the newest.
        """
        del seconds
        state = self._drop(events, training)
        moves = ops.transpose(ops.cast(present, "float32"), (1, 0))[:, :, None]
        for layer in self.layers:
            state = self._drop(self._run(layer, state, moves), training)
        state = state[:, :1] if newest_only else state
        centred = state - ops.mean(state, axis=-1, keepdims=True)
        scale = ops.rsqrt(ops.mean(centred * centred, axis=-1, keepdims=True) + 1e-6)
        return centred * scale * self.gain + self.bias

    def _run(self, layer: tuple[Any, ...], events: Any, moves: Any) -> Any:
        """One layer; `moves` (T, B, 1) is 1 where there is an event."""
        kernel, inner, bias, start = layer
        width = self.options.width
        given = ops.transpose(ops.matmul(events, kernel) + bias[0], (1, 0, 2))

        def step(state: Any, now: tuple[Any, Any]) -> tuple[Any, Any]:
            event, moved = now
            own = ops.matmul(state, inner) + bias[1]
            update = ops.sigmoid(event[:, :width] + own[:, :width])
            reset = ops.sigmoid(event[:, width : 2 * width] + own[:, width : 2 * width])
            proposed = ops.tanh(event[:, 2 * width :] + reset * own[:, 2 * width :])
            after = state + moved * (1.0 - update) * (proposed - state)
            return after, after

        state = ops.zeros_like(given[0, :, :width]) + start
        length = events.shape[1]
        if length is None:
            states = tf.scan(lambda before, now: step(before, now)[0], (given, moves), state, reverse=True)
        else:
            found = []
            for place in reversed(range(length)):
                state, _ = step(state, (given[place], moves[place]))
                found.append(state)
            states = ops.stack(found[::-1])
        return ops.transpose(states, (1, 0, 2))

    def _drop(self, values: Any, training: bool) -> Any:
        rate = self.options.dropout
        return keras.random.dropout(values, rate, seed=self._random) if training and rate else values

    def get_config(self) -> dict[str, Any]:
        """What is needed to make the layer again."""
        return {**super().get_config(), "options": self.options.model_dump(mode="json"), "seed": self.seed}
