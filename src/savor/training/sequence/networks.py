"""The networks around a sequence layer: of the items, and of the user as a bundle has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from savor.features.input_spec import InputSpec
from savor.training.sequence.options import SequenceOptions
from savor.training.sequence.recurrent import Recurrent
from savor.training.sequence.transformer import Transformer

HISTORY_INPUTS = ("history_item", "history_age", "history_seconds")


@dataclass(frozen=True)
class ItemNetworks:
    """One set of weights in two forms.

    Attributes:
        parts: `keras.Model` from named inputs to the item's embedding (I, W) as histories show it, and its bias (I,).
        item: `keras.Model` from the same inputs to the vector (I, D) that users' vectors are held against.
    """

    parts: Any
    item: Any


def build_layer(model: str, options: SequenceOptions, length: int, precision: str, seed: int) -> Any:
    """The `transformer` or `gru` layer; its inputs and output are described in `Transformer.call`."""
    if model == "transformer":
        return Transformer(options, length, precision, seed, name="sequence")
    return Recurrent(options, seed, name="sequence")


def build_item_networks(signature: Mapping[str, InputSpec], options: SequenceOptions, seed: int) -> ItemNetworks:
    """The item's side; an item's embedding is the sum of what its inputs become.

    Args:
        signature: the item inputs that a FeatureSpace gives.
        options: `items` says which are used.
        seed: of the initial weights.
    """
    used = {key: spec for key, spec in signature.items() if options.items == "all" or spec.role == "id"}
    inputs = {key: keras.Input(spec.shape, dtype=spec.dtype, name=key) for key, spec in used.items()}
    parts = []
    for number, (key, spec) in enumerate(used.items()):
        parts.append(_embedded(key, spec, inputs[key], options.width, 100 * seed + number))
    embedding = sum(parts[1:], parts[0])
    identity = next(key for key, spec in used.items() if spec.role == "id")
    if options.item_bias:
        table = keras.layers.Embedding(used[identity].cardinality, 1, embeddings_initializer="zeros", name="item_bias")
        bias = table(inputs[identity])
    else:
        bias = ops.zeros_like(embedding[:, :1])
    vector = keras.layers.UnitNormalization(name="unit")(embedding) if options.normalise else embedding
    if options.item_bias:
        vector = ops.concatenate([vector, bias * (options.temperature if options.normalise else 1.0)], axis=1)
    return ItemNetworks(
        keras.Model(inputs, [embedding, bias[:, 0]], name="item_parts"), keras.Model(inputs, vector, name="item_tower")
    )


def _embedded(key: str, spec: InputSpec, given: Any, width: int, seed: int) -> Any:
    """(I, W) of one input of I items."""
    if spec.cardinality is None:
        initial = keras.initializers.GlorotUniform(seed=seed)
        return keras.layers.Dense(width, kernel_initializer=initial, name=f"{key}_dense")(given)
    initial = keras.initializers.TruncatedNormal(stddev=0.02, seed=seed)
    embedding = keras.layers.Embedding(spec.cardinality, width, embeddings_initializer=initial, name=f"{key}_embedding")
    if not spec.shape:
        return embedding(given)
    present = ops.expand_dims(ops.cast(ops.not_equal(given, 0), "float32"), -1)
    return ops.sum(embedding(given) * present, axis=1) / ops.maximum(ops.sum(present, axis=1), 1.0)


def as_read(embedding: Any, options: SequenceOptions) -> Any:
    """Embeddings as the sequence layer reads them: times sqrt(W).

    So one table serves both ends (Vaswani et al. 2017, section 3.4): small numbers where it is held against vectors of
    length about sqrt(W), numbers of the size of the layer's own where it is read.
    """
    return embedding * options.width**0.5


def finish(states: Any, options: SequenceOptions) -> Any:
    """The (…, W) outputs of a sequence layer as the (…, D) vectors that item vectors are held against."""
    vectors = ops.normalize(states, axis=-1) if options.normalise else states
    return ops.concatenate([vectors, ops.ones_like(vectors[..., :1])], axis=-1) if options.item_bias else vectors


def build_user_network(
    layer: Any, signature: Mapping[str, InputSpec], options: SequenceOptions, table: NDArray[np.float32]
) -> Any:
    """From the named inputs of histories to (B, D) vectors.

    Args:
        layer: a trained sequence layer.
        signature: the user inputs that a FeatureSpace gives; those of histories are used.
        options: how the layer was made.
        table: (C, W) what the layer reads, by the codes of `history_item`.

    Returns:
        A `keras.Model` that takes a dict of arrays.
    """
    names = HISTORY_INPUTS if options.time else HISTORY_INPUTS[:2]
    inputs = {name: keras.Input(signature[name].shape, dtype=signature[name].dtype, name=name) for name in names}
    embedding = keras.layers.Embedding(*table.shape, trainable=False, name="history_item_embedding")
    events = embedding(inputs["history_item"])
    embedding.embeddings.assign(table)
    present = ops.not_equal(inputs["history_age"], 0)
    states = layer(events, present, inputs.get("history_seconds"), newest_only=True)
    return keras.Model(inputs, finish(states[:, 0], options), name="user_tower")
