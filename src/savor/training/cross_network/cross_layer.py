"""One layer of explicit feature crosses."""

from typing import Any

import keras
import keras_rs


def cross_layer(rank: int | None = None, seed: int = 0, name: str | None = None) -> Any:
    """`x0 ⊙ (W x + b) + x`, with `W = U V` where a rank is given.

    Wang et al. 2021, "DCN V2: improved deep & cross network and practical lessons for web-scale learning to rank
    systems", equations 1 and 2 (without the mixture of experts).

    Args:
        rank: R of U (D, R) and V (R, D); None for a full W.
        seed: of the initial weights.
        name: of the layer.

    Returns:
        A layer called with x0 and x, both (B, D) float32; gives (B, D).
    """
    initial = keras.initializers.GlorotUniform(seed=seed)
    return keras_rs.layers.FeatureCross(projection_dim=rank, kernel_initializer=initial, name=name)
