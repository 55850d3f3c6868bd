"""The user and the item tower as Keras networks."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from savor.features.input_spec import InputSpec
from savor.training.history_attention import HistoryAttention
from savor.training.retrieval_options import RetrievalOptions
from savor.training.row_embedding import RowEmbedding


def build_tower(name: str, signature: Mapping[str, InputSpec], options: RetrievalOptions, seed: int) -> Any:
    """A network from named inputs to vectors of length 1.

    Each input becomes a vector as its role asks for; they are concatenated and go through the dense layers of
    `options.hidden` (or the tower's own) to (B, `options.embedding_dimension`) float32.

    Args:
        name: "user" or "item".
        signature: the inputs by name, as a FeatureSpace gives them.
        options: widths.
        seed: of the initial weights.

    Returns:
        A `keras.Model` that takes a dict of arrays.
    """
    seeds = keras.random.SeedGenerator(seed)

    def table(spec: InputSpec, width: int, label: str) -> Any:
        initial = keras.initializers.RandomUniform(-0.05, 0.05, seed=_next(seeds))
        return RowEmbedding(spec.cardinality, width, embeddings_initializer=initial, name=label)

    def embed(spec: InputSpec, inputs: Any, width: int, label: str) -> Any:
        return table(spec, width, label)(inputs)

    def dense(width: int, inputs: Any, label: str, activation: str | None) -> Any:
        initial = keras.initializers.GlorotUniform(seed=_next(seeds))
        return keras.layers.Dense(width, activation, kernel_initializer=initial, name=label)(inputs)

    inputs = {key: keras.Input(spec.shape, dtype=spec.dtype, name=key) for key, spec in signature.items()}
    parts: list[Any] = []
    sequences: dict[str, list[Any]] = {"history": [], "session": []}
    seen: dict[str, Any] = {}
    category_width = options.profile_width if name == "user" else options.category_width
    for key, spec in signature.items():
        match spec.role:
            case "id":
                parts.append(embed(spec, inputs[key], options.id_width, f"{key}_embedding"))
            case "category":
                parts.append(embed(spec, inputs[key], category_width, f"{key}_embedding"))
            case "tags":
                present = ops.expand_dims(ops.cast(ops.not_equal(inputs[key], 0), "float32"), -1)
                values = embed(spec, inputs[key], options.tag_width, f"{key}_embedding") * present
                parts.append(ops.sum(values, axis=1) / ops.maximum(ops.sum(present, axis=1), 1.0))
            case "text":
                parts.append(dense(options.text_width, inputs[key], f"{key}_dense", options.activation))
            case "image":
                parts.append(dense(options.image_width, inputs[key], f"{key}_dense", options.activation))
            case "history_item" | "history_category" | "history_age" | "session_item" | "session_category":
                what, column = key.split("_", 1)
                # An item is the same thing in the history and in the session.
                if column not in seen:
                    seen[column] = table(spec, options.history_width, f"{key}_embedding")
                sequences[what].append(seen[column](inputs[key]))
            case "history_seconds":
                pass  # for sequence models; ages come in as history_age
            case _:
                parts.append(inputs[key])
    for what, embedded in sequences.items():
        if embedded:
            mask = "history_age" if what == "history" else "session_item"
            present = ops.cast(ops.not_equal(inputs[mask], 0), "float32")
            heads = options.history_heads if what == "history" else options.session_heads
            attention = HistoryAttention(heads, seed=_next(seeds), name=f"{what}_attention")
            parts.append(attention(sum(embedded[1:], embedded[0]), present))
    hidden = keras.layers.Concatenate(name="inputs")(parts) if len(parts) > 1 else parts[0]
    own = options.user_hidden if name == "user" else options.item_hidden
    for number, width in enumerate(options.hidden if own is None else own):
        hidden = dense(width, hidden, f"hidden_{number}", options.activation)
    vector = dense(options.embedding_dimension, hidden, "vector", None)
    unit = keras.layers.UnitNormalization(name="unit")(vector)
    return keras.Model(inputs, unit, name=f"{name}_tower")


def _next(seeds: Any) -> int:
    """A new seed for an initializer."""
    return int(ops.convert_to_numpy(seeds.next())[0])
