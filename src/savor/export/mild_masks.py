"""Networks whose masks leave room for what they do not hide."""

import numpy as np

from savor.export.frozen_network import FrozenNetwork

LARGE, MILD = 1e8, 16.0
"""exp(-16) is 1e-7, nothing beside other weights of a softmax, and 16 still leaves 8 bits for those."""


def with_mild_masks(network: FrozenNetwork) -> FrozenNetwork:
    """The same network with `MILD` for constants of `LARGE` and more, with their signs.

    Attention hides places by adding -1e9 before a softmax. Where every number becomes 8 bits, between 0 and -1e9 there
    would be no other.
    """
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef()
    graph.CopyFrom(network.graph)
    for node in graph.node:
        if node.op != "Const" or node.attr["dtype"].type != tf.float32.as_datatype_enum:
            continue
        value = tf.make_ndarray(node.attr["value"].tensor)
        if value.size and float(np.abs(value).max()) >= LARGE:
            mild = np.where(np.abs(value) >= LARGE, np.sign(value) * MILD, value).astype(np.float32)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(mild))
    return network.with_graph(graph)
