"""The two towers after training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from savor.features.feature_space import FeatureSpace
from savor.features.table_encoder import Inputs
from savor.training.litert_export import Parity, export_tower

Value = TypeVar("Value")

Tower = Callable[[Inputs], NDArray[np.float32]]
"""From named inputs of B rows to (B, D) float32 vectors."""


@dataclass(frozen=True)
class TrainedTowers:
    """Both networks and how they came about.

    Attributes:
        user, item: `keras.Model`s from named inputs to (B, D) vectors; a network may leave out inputs of the space.
        space: makes their inputs.
        history: one JSON object per pass: epoch, loss, metric, examples_per_second, seconds.
        metric: name of the validation metric in `history`.
    """

    user: Any
    item: Any
    space: FeatureSpace
    history: list[dict[str, Any]]
    metric: str

    def export(self, directory: Path) -> dict[str, Parity]:
        """Write `user.tflite` and `item.tflite`, each checked against its network, and both below `networks/`.

        Raises:
            TrainingError: an exported tower does not give the network's vectors.
        """
        from savor.training.network_files import save_network  # brings TensorFlow, which a training imports late

        directory.mkdir(parents=True, exist_ok=True)
        items = np.linspace(0, self.space.number_of_items - 1, min(self.space.number_of_items, 64)).astype(np.int32)
        of_users = needed(self.user, self.space.user_signature)
        of_items = needed(self.item, self.space.item_signature)
        real = needed(self.item, self.space.item_inputs(items))
        for name, network in (("user", self.user), ("item", self.item)):
            save_network(network, directory / "networks" / name)
        return {
            "user": export_tower(self.user, of_users, directory / "user.tflite"),
            "item": export_tower(self.item, of_items, directory / "item.tflite", real),
        }

    def user_vectors(self, inputs: Inputs) -> NDArray[np.float32]:
        """(B, D) float32 vectors of users."""
        return np.asarray(self.user.predict_on_batch(needed(self.user, inputs)), np.float32)

    def item_vectors(self, batch: int = 8192) -> NDArray[np.float32]:
        """(I, D) float32 vectors of all items of the space."""
        return item_vectors(self.space, lambda inputs: self.item.predict_on_batch(needed(self.item, inputs)), batch)


def needed(network: Any, by_name: Mapping[str, Value]) -> dict[str, Value]:
    """Those of named things that are inputs of a `keras.Model`, in its order."""
    return {name: by_name[name] for name in network.input}


def item_vectors(space: FeatureSpace, tower: Tower, batch: int = 8192) -> NDArray[np.float32]:
    """(I, D) float32 vectors of all items of `space`, through a Keras or a LiteRT tower."""
    rows = np.arange(space.number_of_items, dtype=np.int32)
    parts = [tower(space.item_inputs(rows[start : start + batch])) for start in range(0, len(rows), batch)]
    return np.concatenate(parts).astype(np.float32, copy=False)
