"""The item tower for a device: vectors of items that come later."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.bundle.edge_manifest import EdgeItemTower, Tensor
from savor.core.errors import ExportError
from savor.core.progress import progress
from savor.export.convert import convert
from savor.export.frozen_network import FrozenNetwork
from savor.export.int8_rows import with_int8_tables
from savor.export.tidy_model import tidy_model
from savor.export.variant import variant
from savor.features.feature_space import FeatureSpace

NAME = "item_tower.tflite"
SIGNATURE, OUTPUT = "embed", "vector"
LEAST_COSINE = 0.999
_COMPARED = 64


def item_tower(
    bundle: Bundle, space: FeatureSpace, vectors: NDArray[np.float32], rows: NDArray[np.int32]
) -> tuple[bytes, EdgeItemTower]:
    """The `.tflite` file, with 16-bit layers and 8-bit tables, and what the manifest says of it.

    Args:
        bundle: keeps the network.
        space: makes its inputs.
        vectors: (I, D) that the server has of the items.
        rows: (I,) their rows.

    Raises:
        ExportError: its vectors are not the server's.
    """
    import tensorflow as tf

    network = with_int8_tables(FrozenNetwork.load(bundle, "towers/networks/item"))
    inputs = dict(sorted(network.inputs.items()))
    function = tf.function(lambda **given: {OUTPUT: network(**given)}, autograph=False)
    with progress("the item tower"):
        content = tidy_model(convert(function, inputs, SIGNATURE, variant("float16")))
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(_COMPARED, len(rows))).astype(np.intp))
    found = _run(content, {name: space.item_inputs(rows[chosen])[name] for name in inputs})
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(vectors[chosen], axis=1)
    cosine = (found * vectors[chosen]).sum(axis=1) / np.maximum(lengths, 1e-12)
    if cosine.min() < LEAST_COSINE:
        raise ExportError(
            f"the item tower for the device gives another vector than the server has: cosine {cosine.min():.4f}, at "
            f"least {LEAST_COSINE} is needed; train and publish again",
            code="parity_failed",
        )
    given = {name: Tensor(dtype=spec.dtype.name, shape=tuple(map(int, spec.shape))) for name, spec in inputs.items()}
    return content, EdgeItemTower(inputs=given, outputs={OUTPUT: Tensor(dtype="float32", shape=(1, network.width))})


def _run(content: bytes, inputs: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=content, num_threads=1).get_signature_runner(SIGNATURE)
    number = len(next(iter(inputs.values())))
    return np.concatenate(
        [runner(**{name: value[row : row + 1] for name, value in inputs.items()})[OUTPUT] for row in range(number)]
    )
