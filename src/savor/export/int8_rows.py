"""Numbers of 8 bits with a scale for each row."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from savor.export.frozen_network import FrozenNetwork, gathers

LARGEST = 127
LEAST_NUMBERS = 1024
"""Smaller tables are left as they are: they would save nothing that counts."""


class Int8Rows(NamedTuple):
    """A table as `numbers * scales`.

    Attributes:
        numbers: (R, W) int8, from -127 to 127.
        scales: (R,) float32, each a number that 16 bits can hold.
    """

    numbers: NDArray[np.int8]
    scales: NDArray[np.float32]

    @classmethod
    def of(cls, table: NDArray[np.float32]) -> Self:
        """The nearest such table: of each row the largest number becomes 127, or a little less."""
        exact = np.abs(table).max(axis=1).astype(np.float32) / np.float32(LARGEST)
        halves = exact.astype(np.float16)
        halves = np.where(halves.astype(np.float32) < exact, np.nextafter(halves, np.float16(np.inf)), halves)
        scales = np.maximum(halves, np.finfo(np.float16).smallest_subnormal).astype(np.float32)
        return cls(np.rint(table / scales[:, None]).astype(np.int8), scales)

    def floats(self) -> NDArray[np.float32]:
        """The table that it stands for, (R, W) float32."""
        return self.numbers.astype(np.float32) * self.scales[:, None]


class Look(NamedTuple):
    """How rows of a table are found in 8 bits.

    Attributes:
        numbers: (J, W) int8.
        place: (R,) int32, where in `numbers` each row stands; None where they stand in order.
        scales: (R,) float32 of the rows.
    """

    numbers: NDArray[np.int8]
    place: NDArray[np.int32] | None
    scales: NDArray[np.float32]


def own_rows(table: NDArray[np.float32]) -> Look:
    """A table of (R, W) that shares its rows with no other."""
    rows = Int8Rows.of(table)
    return Look(rows.numbers, None, rows.scales)


def with_int8_tables(network: FrozenNetwork, look: Callable[[NDArray[np.float32]], Look] = own_rows) -> FrozenNetwork:
    """The same network with its embedding tables in 8 bits; rows are scaled back after they were looked up.

    Args:
        network: whose tables of `LEAST_NUMBERS` and more are replaced.
        look: says how the rows of a table are found.
    """
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef()
    graph.CopyFrom(network.graph)
    for node, _, table in list(tables(network.with_graph(graph))):
        _replace(graph, node, look(table))
    return network.with_graph(graph)


def tables(network: FrozenNetwork) -> Iterator[tuple[Any, Any, NDArray[np.float32]]]:
    """Every look-up in an embedding table of `LEAST_NUMBERS` and more: its node, the constant, and what that holds."""
    import tensorflow as tf

    for node, constant in gathers(network.graph):
        table = tf.make_ndarray(constant.attr["value"].tensor)
        if table.ndim == 2 and table.dtype == np.float32 and table.size >= LEAST_NUMBERS:
            yield node, constant, table


def _replace(graph: Any, node: Any, look: Look) -> None:
    """Let the look-up `node` look up 8 bits instead, and scale what it finds."""
    import tensorflow as tf

    float32, int32, int8 = (kind.as_datatype_enum for kind in (tf.float32, tf.int32, tf.int8))
    name, indices, axis = node.name, node.input[1], node.input[2]
    kind = node.attr["Tindices"].type

    def constant(label: str, value: NDArray[Any]) -> str:
        made = graph.node.add(name=f"{name}/{label}", op="Const")
        made.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        made.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
        return str(made.name)

    def add(label: str, operation: str, inputs: list[str], **types: int) -> str:
        made = graph.node.add(name=f"{name}/{label}", op=operation, input=inputs)
        for key, value in types.items():
            made.attr[key].type = value
        return str(made.name)

    rows = indices
    if look.place is not None:
        order = constant("order", look.place)
        rows = add("rows", "GatherV2", [order, indices, axis], Tparams=int32, Tindices=kind, Taxis=int32)
    table = constant("numbers", look.numbers)
    held = kind if look.place is None else int32
    found = add("found", "GatherV2", [table, rows, axis], Tparams=int8, Tindices=held, Taxis=int32)
    floats = add("floats", "Cast", [found], SrcT=int8, DstT=float32)
    last = constant("last", np.asarray(-1, np.int32))
    places = add("places", "ExpandDims", [indices, last], T=kind, Tdim=int32)
    # The converter would round the scales too if an ordinary look-up found them.
    scales = constant("scales", look.scales[:, None])
    scale = add("scale", "GatherNd", [scales, places], Tparams=float32, Tindices=kind)
    node.op = "Mul"
    del node.input[:]
    node.input.extend([floats, scale])
    node.attr.clear()
    node.attr["T"].type = float32
