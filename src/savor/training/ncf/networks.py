"""The networks of neural collaborative filtering."""

from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import ops

from savor.training.ncf.options import NcfOptions

Kind = Literal["gmf", "mlp", "neumf"]


@dataclass(frozen=True)
class NcfNetworks:
    """One set of weights; all are `keras.Model`s over `user_id` and `item_id`, (B,) int32.

    Attributes:
        pair: both ids to (B, 1) float32 log-odds.
        user, item: one id to (B, D) vectors whose inner product `pair` gives; None but for GMF.
        vectors: the embedding layers.
    """

    pair: Any
    user: Any | None
    item: Any | None
    vectors: tuple[Any, ...]


def build_ncf(kind: Kind, users: int, items: int, options: NcfOptions, seed: int) -> NcfNetworks:
    """Make a network (He et al. 2017, "Neural collaborative filtering").

    With p and q the vectors of user and item: GMF is `h · (p ⊙ q)` (equation 9), the MLP is dense layers over (p, q)
    (equation 10), and NeuMF is a dense layer over the p ⊙ q of the one and the last layer of the other, each with
    vectors of its own (equation 12).

    Args:
        kind: which.
        users: codes of users are below this.
        items: codes of items are below this.
        options: widths.
        seed: of the initial weights and of dropout.
    """
    user, item = (keras.Input((), dtype="int32", name=f"{side}_id") for side in ("user", "item"))
    layers: list[Any] = []

    def embed(rows: int, width: int, name: str) -> Any:
        initial = keras.initializers.RandomNormal(stddev=0.1, seed=seed + len(layers))
        layers.append(keras.layers.Embedding(rows, width, embeddings_initializer=initial, name=f"{name}_embedding"))
        return layers[-1]

    def dense(width: int, name: str, activation: str | None = None, number: int = 0) -> Any:
        initial = keras.initializers.GlorotUniform(seed=seed + 1009 * (number + 1))
        return keras.layers.Dense(width, activation, kernel_initializer=initial, name=name)

    product = deep = None
    if kind != "mlp":
        of_users, of_items = embed(users, options.factors, "gmf_user"), embed(items, options.factors, "gmf_item")
        product = of_users(user) * of_items(item)
    if kind != "gmf":
        parts = [
            embed(users, options.mlp_factors, "mlp_user")(user),
            embed(items, options.mlp_factors, "mlp_item")(item),
        ]
        deep = keras.layers.Concatenate(name="pair")(parts)
        for number, width in enumerate(options.hidden):
            deep = dense(width, f"hidden_{number}", "relu", number)(deep)
            if options.dropout:
                deep = keras.layers.Dropout(options.dropout, seed=seed + 3001 * (number + 1))(deep)
    if kind == "gmf":
        weigh = Weights(name="weights")
        weighed = weigh(of_users(user))
        pair = ops.sum(weighed * of_items(item), axis=1, keepdims=True)
        return NcfNetworks(
            keras.Model({"user_id": user, "item_id": item}, pair, name="gmf"),
            keras.Model({"user_id": user}, weighed, name="gmf_user"),
            keras.Model({"item_id": item}, of_items(item), name="gmf_item"),
            tuple(layers),
        )
    joined = deep if product is None else keras.layers.Concatenate(name="product_and_deep")([product, deep])
    pair = dense(1, "log_odds", number=101)(joined)
    return NcfNetworks(keras.Model({"user_id": user, "item_id": item}, pair, name=kind), None, None, tuple(layers))


@keras.saving.register_keras_serializable(package="savor")
class Weights(keras.layers.Layer):  # type: ignore[misc]
    """A learnt weight for each column, 1 at first: the h of GMF. (B, D) to (B, D)."""

    def build(self, shape: Any) -> None:
        """Make the weights for inputs of `shape`."""
        self._weights = self.add_weight(shape=(int(shape[-1]),), initializer="ones", name="h")

    def call(self, vectors: Any) -> Any:
        """`vectors` with each column weighed."""
        return vectors * self._weights
