"""A kept network with its weights as constants."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from savor.bundle.bundle import Bundle
from savor.core.errors import ExportError, MissingDependencyError
from savor.core.native_output import native_output_hidden

SIGNATURE, OUTPUT = "call", "output"
"""Names in a kept network: of its one signature, and of its one output."""


@dataclass(frozen=True)
class FrozenNetwork:
    """From named inputs to one output, as a graph without variables, so that no conversion can lose any.

    Attributes:
        inputs: `tf.TensorSpec` by name, with fixed shapes.
        graph: `GraphDef`; the inputs are placeholders of their names.
        output: name of the tensor with the output.
        width: of the output's last dimension.
    """

    inputs: Mapping[str, Any]
    graph: Any
    output: str
    width: int

    @classmethod
    def load(cls, bundle: Bundle, name: str, rows: int = 1) -> Self:
        """Open the network `name` of a bundle (`towers/networks/user`, say) for batches of `rows` rows.

        Raises:
            ExportError: the bundle keeps no such network, or it cannot be read.
            MissingDependencyError: TensorFlow is not installed.
        """
        if not bundle.has(name):
            raise ExportError(
                f"bundle {bundle.id} keeps no network {name!r}, which edge bundles are made of: it is from an earlier "
                "version of Savor. Run `savor train` and `savor publish`, then export again"
            )
        return cls.read(bundle.path(name), rows)

    @classmethod
    def read(cls, directory: Path, rows: int = 1) -> Self:
        """Open a kept network; arguments and errors as of `load`."""
        try:
            with native_output_hidden():
                import tensorflow as tf
            from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
        except ImportError:
            raise MissingDependencyError("tensorflow", "train") from None
        try:
            with native_output_hidden():
                loaded = tf.saved_model.load(str(directory))
            signature = loaded.signatures[SIGNATURE]
        except (OSError, ValueError, KeyError) as error:
            raise ExportError(f"the network in {directory} cannot be read ({error}); train and publish again") from None
        given = signature.structured_input_signature[1]
        inputs = {name: tf.TensorSpec((rows, *spec.shape[1:]), spec.dtype, name=name) for name, spec in given.items()}
        traced = tf.function(lambda **values: signature(**values)[OUTPUT], autograph=False)
        with native_output_hidden():
            frozen = convert_variables_to_constants_v2(traced.get_concrete_function(**inputs))
        output = frozen.outputs[0]
        return cls(inputs, frozen.graph.as_graph_def(), output.name, int(output.shape[-1]))

    def __call__(self, **values: Any) -> Any:
        """The output as a tensor of the graph that is being traced; constants may stand in for inputs."""
        import tensorflow as tf

        places = {f"{name}:0": values[name] for name in self.inputs}
        (found,) = tf.graph_util.import_graph_def(self.graph, input_map=places, return_elements=[self.output])
        return found

    def with_graph(self, graph: Any) -> "FrozenNetwork":
        """The same inputs and output over another graph."""
        return replace(self, graph=graph)


def gathers(graph: Any) -> Iterator[tuple[Any, Any]]:
    """Every look-up in a constant float table: the node, and the constant."""
    nodes = {node.name: node for node in graph.node}
    for node in graph.node:
        if node.op != "GatherV2":
            continue
        table = nodes[node.input[0].split(":")[0]]
        while table.op == "Identity":
            table = nodes[table.input[0].split(":")[0]]
        if table.op == "Const":
            yield node, table
