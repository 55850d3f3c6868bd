"""A network kept so that it can be built upon later, without the code that made it."""

from pathlib import Path
from typing import Any

import tensorflow as tf

SIGNATURE, OUTPUT = "call", "output"
"""Names of the one signature, and of its one output."""


def save_network(network: Any, directory: Path) -> None:
    """Write a `keras.Model` from named inputs to one output as a TensorFlow SavedModel.

    Its signature `call` takes the inputs by name, with any number of rows, and gives `output`.

    Args:
        network: takes a dict of inputs.
        directory: folder to write; made when needed.
    """
    specs = {name: tf.TensorSpec(tensor.shape, tensor.dtype, name=name) for name, tensor in network.input.items()}
    function = tf.function(lambda **inputs: {OUTPUT: network(inputs, training=False)}, autograph=False)
    module = tf.Module()
    module.held = [weight.value for weight in network.variables]
    tf.saved_model.save(module, str(directory), signatures={SIGNATURE: function.get_concrete_function(**specs)})
    # It holds a random number, by which bundles of the same training would get different names.
    (directory / "fingerprint.pb").unlink(missing_ok=True)
