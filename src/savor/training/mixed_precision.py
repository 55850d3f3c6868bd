"""Dense layers that multiply in bfloat16."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import keras
import tensorflow as tf

Precision = Literal["auto", "bfloat16", "none"]

PAYS = {"avx512_bf16", "amx_bf16"}
"""Instructions of x86 processors with which bfloat16 products are faster than float32 ones."""


@contextmanager
def bfloat16_products(*networks: Any) -> Iterator[None]:
    """Within, calls of the networks' dense layers are traced with bfloat16 inputs, products and activations.

    Weights, what other layers do, and the vectors (the last layer is not dense) stay float32, so gradients are float32
    too, and a network called outside computes in float32.
    """
    layers = [layer for network in networks for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    before = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = keras.DTypePolicy("mixed_bfloat16")
    try:
        yield
    finally:
        for layer, policy in zip(layers, before, strict=True):
            layer.dtype_policy = policy


def is_worth_it(precision: Precision) -> bool:
    """Whether to use bfloat16: as asked, or for `auto` where there is a GPU or the processor multiplies it faster."""
    if precision == "auto":
        return bool(tf.config.list_physical_devices("GPU")) or bool(PAYS & _processor_flags())
    return precision == "bfloat16"


@cache
def _processor_flags() -> frozenset[str]:
    """What the processor can do, where the system says so (Linux on x86)."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":", 1)[1] for line in lines if line.startswith("flags")), "").split())
