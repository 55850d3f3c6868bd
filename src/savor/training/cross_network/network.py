"""The cross network as Keras models that share their weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from savor.features.input_spec import InputSpec
from savor.training.cross_network.cross_layer import cross_layer
from savor.training.cross_network.options import DcnOptions

FEATURES = "features"
"""Name of the input with the normalised numbers."""


@dataclass(frozen=True)
class CrossNetworks:
    """One set of weights seen from several sides; all are `keras.Model`s over dicts of inputs.

    Attributes:
        heads: to (B, 2) float32, the log-odds of choice and the standardised rating.
        served: to (B, 2) float32, the chance of choice and the standardised rating.
        user: to (B, D) vectors of the users' embeddings; None without `joint`.
        item: the same of the items.
    """

    heads: Any
    served: Any
    user: Any | None = None
    item: Any | None = None


def build_cross_network(
    signature: Mapping[str, InputSpec], options: DcnOptions, seed: int, *, log_odds_shift: float = 0.0
) -> CrossNetworks:
    """Make the networks.

    Args:
        signature: `features` with its width, and whole-number inputs that get embeddings, if any: those whose names
            begin with `user_` are of the user, with `item_` of the item.
        options: widths and structure.
        seed: of weights and dropout.
        log_odds_shift: taken off the log-odds in `served`, to make up for class weights.

    Raises:
        ValueError: `joint` is asked for, and there are no embeddings of users or of items.
    """
    inputs = {name: keras.Input(spec.shape, dtype=spec.dtype, name=name) for name, spec in signature.items()}
    embedded = {}
    for number, (name, spec) in enumerate(signature.items()):
        if spec.cardinality is not None:
            initial = keras.initializers.RandomUniform(-0.05, 0.05, seed=seed + 101 * number)
            table = keras.layers.Embedding(
                spec.cardinality, options.id_width, embeddings_initializer=initial, name=f"{name}_embedding"
            )
            embedded[name] = table(inputs[name])
    numbers = [inputs[name] for name, spec in signature.items() if spec.cardinality is None]
    parts = [*numbers, *embedded.values()]
    first = keras.layers.Concatenate(name="x0")(parts) if len(parts) > 1 else parts[0]
    crossed = first
    for layer in range(options.cross_layers):
        crossed = cross_layer(options.rank or None, seed + 1009 * (layer + 1), f"cross_{layer}")(first, crossed)
    deep = first if options.structure == "parallel" else crossed
    for layer, width in enumerate(options.hidden):
        initial = keras.initializers.GlorotUniform(seed=seed + 2003 * (layer + 1))
        deep = keras.layers.Dense(width, "relu", kernel_initializer=initial, name=f"deep_{layer}")(deep)
        if options.dropout:
            deep = keras.layers.Dropout(options.dropout, seed=seed + 3001 * (layer + 1), name=f"dropout_{layer}")(deep)
    joined = deep
    if options.structure == "parallel":
        joined = keras.layers.Concatenate(name="crossed_and_deep")([crossed, deep]) if options.hidden else crossed
    initial = keras.initializers.GlorotUniform(seed=seed + 4001)
    heads = keras.layers.Dense(2, kernel_initializer=initial, name="heads")(joined)
    chance = ops.sigmoid(heads[:, :1] - log_odds_shift)
    served = keras.Model(inputs, ops.concatenate([chance, heads[:, 1:]], axis=1), name="served")
    if not options.joint:
        return CrossNetworks(keras.Model(inputs, heads, name="dcn"), served)
    sides = {}
    for side in ("user", "item"):
        names = [name for name in embedded if name.startswith(f"{side}_")]
        if not names:
            raise ValueError(f"dcn.joint needs embeddings of the {side}s: set dcn.ids = true")
        vectors = [embedded[name] for name in names]
        joined = keras.layers.Concatenate(name=f"{side}_parts")(vectors) if len(vectors) > 1 else vectors[0]
        initial = keras.initializers.GlorotUniform(seed=seed + (5003 if side == "user" else 6007))
        vector = keras.layers.Dense(4 * options.id_width, kernel_initializer=initial, name=f"{side}_vector")(joined)
        unit = keras.layers.UnitNormalization(name=f"{side}_unit")(vector)
        sides[side] = keras.Model({name: inputs[name] for name in names}, unit, name=f"{side}_side")
    return CrossNetworks(keras.Model(inputs, heads, name="dcn"), served, sides["user"], sides["item"])
