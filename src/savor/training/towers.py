"""The user and the item tower as Keras networks."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from savor.features.input_spec import InputSpec
from savor.training.history_attention import HistoryAttention
from savor.training.retrieval_options import RetrievalOptions


def build_tower(name: str, signature: Mapping[str, InputSpec], options: RetrievalOptions, seed: int) -> Any:
    """A network from named inputs to vectors of length 1.

    Each input becomes a vector as its role asks for; they are concatenated and go through the dense layers of
    `options.hidden` to (B, `options.embedding_dimension`) float32.

    Args:
        name: "user" or "item".
        signature: the inputs by name, as a FeatureSpace gives them.
        options: widths.
        seed: of the initial weights.

    Returns:
        A `keras.Model` that takes a dict of arrays.
    """
    seeds = keras.random.SeedGenerator(seed)

    def embed(spec: InputSpec, inputs: Any, width: int, label: str) -> Any:
        initial = keras.initializers.RandomUniform(-0.05, 0.05, seed=_next(seeds))
        return keras.layers.Embedding(spec.cardinality, width, embeddings_initializer=initial, name=label)(inputs)

    def dense(width: int, inputs: Any, label: str, activation: str | None) -> Any:
        initial = keras.initializers.GlorotUniform(seed=_next(seeds))
        return keras.layers.Dense(width, activation, kernel_initializer=initial, name=label)(inputs)

    inputs = {key: keras.Input(spec.shape, dtype=spec.dtype, name=key) for key, spec in signature.items()}
    parts, history = [], []
    for key, spec in signature.items():
        match spec.role:
            case "id":
                parts.append(embed(spec, inputs[key], options.id_width, f"{key}_embedding"))
            case "category":
                parts.append(embed(spec, inputs[key], options.category_width, f"{key}_embedding"))
            case "tags":
                present = ops.expand_dims(ops.cast(ops.not_equal(inputs[key], 0), "float32"), -1)
                values = embed(spec, inputs[key], options.category_width, f"{key}_embedding") * present
                parts.append(ops.sum(values, axis=1) / ops.maximum(ops.sum(present, axis=1), 1.0))
            case "text":
                parts.append(dense(options.text_width, inputs[key], f"{key}_dense", "relu"))
            case "history_item" | "history_category" | "history_age":
                history.append(embed(spec, inputs[key], options.history_width, f"{key}_embedding"))
            case _:
                parts.append(inputs[key])
    if history:
        present = ops.cast(ops.not_equal(inputs["history_age"], 0), "float32")
        attention = HistoryAttention(options.history_heads, seed=_next(seeds), name="history_attention")
        parts.append(attention(sum(history[1:], history[0]), present))
    hidden = keras.layers.Concatenate(name="inputs")(parts) if len(parts) > 1 else parts[0]
    for number, width in enumerate(options.hidden):
        hidden = dense(width, hidden, f"hidden_{number}", "relu")
    vector = dense(options.embedding_dimension, hidden, "vector", None)
    unit = keras.layers.UnitNormalization(name="unit")(vector)
    return keras.Model(inputs, unit, name=f"{name}_tower")


def _next(seeds: Any) -> int:
    """A new seed for an initializer."""
    return int(ops.convert_to_numpy(seeds.next())[0])
