"""A causal transformer over histories, newest event first."""

from typing import Any

import keras
from keras import ops

from savor.training.sequence.elapsed import ELAPSED_BUCKETS, elapsed_bucket
from savor.training.sequence.options import SequenceOptions

HIDDEN = -1e9


@keras.saving.register_keras_serializable("savor")
class Transformer(keras.layers.Layer):  # type: ignore[misc]
    """(B, T, W) events, newest first, to (B, T, W) vectors: the t-th sees the events `t:` only.

    Pre-norm blocks as in SASRec (Kang and McAuley 2018): masked multi-head attention, then a feed-forward part, each
    added to what comes in, and a last norm. Scores of attention have a learned bias by distance (Shaw et al. 2018; T5)
    or events a learned vector by place. With `time`, scores have a bias by the time between the key and the moment the
    query asks for, in logarithmic buckets (HSTU, Zhai et al. 2024), and each event has a vector for the time until the
    next one. With `gated`, what a block adds is multiplied by a sigmoid of its input (LiGR, Borisyuk et al. 2024;
    eSASRec, Tikhonovich et al. 2025).

    A place where there is no event sees itself only: its output is the vector of somebody without a history.

    Args:
        options: as JSON values or `SequenceOptions`.
        length: most events that are looked at.
        precision: of the matrix products.
        seed: of weights and dropout.
    """

    def __init__(
        self, options: SequenceOptions | dict[str, Any], length: int, precision: str, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.options = SequenceOptions.model_validate(options)
        self.length, self.precision, self.seed = length, precision, seed
        self._random = keras.random.SeedGenerator(seed)

    def build(self, *_: Any) -> None:
        """Make the weights."""
        options, width = self.options, self.options.width
        seeds = iter(range(1000 * self.seed, 1000 * self.seed + 1000))

        def weight(name: str, *shape: int, spread: float | None = None) -> Any:
            deviation = 0.7 * shape[0] ** -0.5 if spread is None else spread
            initial = keras.initializers.TruncatedNormal(stddev=deviation, seed=next(seeds)) if deviation else "zeros"
            return self.add_weight(shape=shape, initializer=initial, name=name)

        def norm(name: str) -> tuple[Any, Any]:
            gain = self.add_weight(shape=(width,), initializer="ones", name=f"{name}_gain")
            return gain, self.add_weight(shape=(width,), initializer="zeros", name=f"{name}_bias")

        def dense(name: str, before: int, after: int) -> tuple[Any, Any]:
            return weight(f"{name}_kernel", before, after), weight(f"{name}_bias", after, spread=0.0)

        hidden = options.feed_forward * width
        self.nobody = weight("nobody_embedding", width, spread=width**-0.5)
        if options.position == "absolute":
            self.place = weight("place_embedding", self.length, width, spread=0.02)
        if options.time:
            self.gap = weight("gap_embedding", ELAPSED_BUCKETS, width, spread=0.02)
        self.blocks = []
        for number in range(options.blocks):
            name = f"block_{number}"
            block = {
                "attention_norm": norm(f"{name}_attention_norm"),
                "projection": dense(f"{name}_projection", width, 3 * width),
                "output": dense(f"{name}_output", width, width),
                "forward_norm": norm(f"{name}_forward_norm"),
                "inner": dense(f"{name}_inner", width, hidden * (2 if options.activation == "swiglu" else 1)),
                "outer": dense(f"{name}_outer", hidden, width),
            }
            if options.gated:
                block["attention_gate"] = dense(f"{name}_attention_gate", width, width)
                block["forward_gate"] = dense(f"{name}_forward_gate", width, width)
            if options.position == "relative":
                block["distance"] = weight(f"{name}_distance_bias", self.length, options.heads, spread=0.0)
            if options.time:
                block["elapsed"] = weight(f"{name}_elapsed_bias", ELAPSED_BUCKETS, options.heads, spread=0.0)
            self.blocks.append(block)
        self.last_norm = norm("last_norm")

    def call(
        self, events: Any, present: Any, seconds: Any | None = None, training: bool = False, newest_only: bool = False
    ) -> Any:
        """The vectors of the T moments, or with `newest_only` of the newest, (B, 1, W).

        Args:
            events: (B, T, W) float32.
            present: (B, T) bool.
            seconds: (B, T) int32, age of the events at the moment asked for; needed with `time`.
            training: whether to drop out.
            newest_only: save the work on vectors that nobody looks at.
        """
        options = self.options
        state = ops.where(ops.expand_dims(present, -1), events, self.nobody)
        steps = ops.shape(events)[1]
        place = ops.arange(steps)
        distance = ops.expand_dims(place, 0) - ops.expand_dims(place, 1)
        seen = ops.logical_or(ops.expand_dims(present, 1), ops.equal(distance, 0))
        seen = ops.logical_and(seen, distance >= 0)
        bias = ops.expand_dims(ops.where(seen, 0.0, HIDDEN), 1)
        if options.position == "absolute":
            state = state + ops.take(self.place, ops.minimum(place, self.length - 1), axis=0)
        elapsed = None
        if options.time and seconds is not None:
            asked = ops.pad(seconds[:, :-1], [[0, 0], [1, 0]])
            elapsed = elapsed_bucket(ops.expand_dims(seconds, 1) - ops.expand_dims(asked, 2))
            state = state + ops.take(self.gap, elapsed_bucket(seconds - asked), axis=0)
        state = self._drop(state, training)
        distance = ops.clip(distance, 0, self.length - 1)
        for number, block in enumerate(self.blocks):
            one = newest_only and number == len(self.blocks) - 1
            queries = 1 if one else None
            added = bias[:, :, :queries]
            if options.position == "relative":
                added = added + ops.transpose(ops.take(block["distance"], distance[:queries], axis=0), (2, 0, 1))
            if elapsed is not None:
                added = added + ops.transpose(ops.take(block["elapsed"], elapsed[:, :queries], axis=0), (0, 3, 1, 2))
            state = self._block(block, state, added, training, newest_only=one)
        return self._norm(self.last_norm, state)

    def _block(self, block: dict[str, Any], state: Any, bias: Any, training: bool, *, newest_only: bool) -> Any:
        """One block; `bias` (B or 1, heads or 1, queries, T) is added to the scores of attention."""
        options, width, heads = self.options, self.options.width, self.options.heads
        steps, part = ops.shape(state)[1], width // heads
        projected = self._dense(block["projection"], self._norm(block["attention_norm"], state))
        parted = ops.transpose(ops.reshape(projected, (-1, steps, 3 * heads, part)), (0, 2, 1, 3))
        query, key, value = parted[:, :heads], parted[:, heads : 2 * heads], parted[:, 2 * heads :]
        if newest_only:
            query, state = query[:, :, :1], state[:, :1]
        scores = self._product(query * part**-0.5, ops.transpose(key, (0, 1, 3, 2)))
        weights = self._drop(ops.softmax(scores + bias), training)
        mixed = ops.transpose(self._product(weights, value), (0, 2, 1, 3))
        mixed = self._dense(block["output"], ops.reshape(mixed, (-1, ops.shape(state)[1], width)))
        if options.gated:
            mixed = mixed * ops.sigmoid(self._dense(block["attention_gate"], state))
        state = state + self._drop(mixed, training)
        inner = self._dense(block["inner"], self._norm(block["forward_norm"], state))
        match options.activation:
            case "swiglu":
                left, right = ops.split(inner, 2, axis=-1)
                inner = left * ops.silu(right)
            case "relu":
                inner = ops.relu(inner)
            case "gelu":
                inner = ops.gelu(inner, approximate=False)
        outer = self._dense(block["outer"], self._drop(inner, training))
        if options.gated:
            outer = outer * ops.sigmoid(self._dense(block["forward_gate"], state))
        return state + self._drop(outer, training)

    def _drop(self, values: Any, training: bool) -> Any:
        rate = self.options.dropout
        return keras.random.dropout(values, rate, seed=self._random) if training and rate else values

    def _product(self, one: Any, other: Any) -> Any:
        if self.precision == "float32":
            return ops.matmul(one, other)
        return ops.cast(ops.matmul(ops.cast(one, self.precision), ops.cast(other, self.precision)), "float32")

    def _dense(self, weights: tuple[Any, Any], values: Any) -> Any:
        kernel, bias = weights
        flat = ops.reshape(values, (-1, kernel.shape[0]))
        return ops.reshape(self._product(flat, kernel) + bias, (-1, ops.shape(values)[1], kernel.shape[1]))

    @staticmethod
    def _norm(weights: tuple[Any, Any], values: Any) -> Any:
        gain, bias = weights
        centred = values - ops.mean(values, axis=-1, keepdims=True)
        return centred * ops.rsqrt(ops.mean(centred * centred, axis=-1, keepdims=True) + 1e-6) * gain + bias

    def get_config(self) -> dict[str, Any]:
        """What is needed to make the layer again."""
        options = self.options.model_dump(mode="json")
        own = {"options": options, "length": self.length, "precision": self.precision, "seed": self.seed}
        return {**super().get_config(), **own}
