"""Time between two moments as a small number."""

from typing import Any

from keras import ops

ELAPSED_BUCKETS = 32
STEPS_PER_DOUBLING = 1.2
UNIT = 4.0
"""Seconds below which moments are hardly told apart; the last bucket begins at about four years."""


def elapsed_bucket(seconds: Any) -> Any:
    """Any shape of whole seconds to int32 in [0, `ELAPSED_BUCKETS`): floor(1.2 log2(1 + s / 4)), at most the last."""
    grown = ops.log(1.0 + ops.cast(ops.maximum(seconds, 0), "float32") / UNIT) * (STEPS_PER_DOUBLING / 0.6931472)
    return ops.minimum(ops.cast(ops.floor(grown), "int32"), ELAPSED_BUCKETS - 1)
