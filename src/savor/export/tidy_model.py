"""The last strokes on a converted model, which the converter cannot be asked for."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

HYBRID_VERSION = 9
"""Version of the operator FULLY_CONNECTED from which it takes floats and weights in 8 bits, however they are spread."""

WIDENING_VERSION = 3
"""Version of the operator DEQUANTIZE from which it takes 16-bit floats."""

_ALIGNMENT = 16
_LEAST_BYTES = 4096


def tidy_model(content: bytes, whole: Sequence[NDArray[np.int8]] = (), *, halve: bool = False) -> bytes:
    """The same model in fewer bytes.

    - Weights that are exactly the numbers of a table in `whole` are stored as 8 bits.
    - Scales that are all the same are stored once.
    - With `halve`, constants of 32-bit floats that no product takes are stored as 16-bit ones.
    - Equal constants are stored once, and what nothing refers to is left out.

    Args:
        content: a `.tflite` file.
        whole: tables of numbers from -127 to 127 that the model holds as floats.
        halve: see above.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    for graph in model.subgraphs:
        for table in whole:
            _store_in_8_bits(model, graph, table, schema)
        for tensor in graph.tensors:
            _one_scale(tensor)
        if halve:
            _halve(model, graph, schema)
    _store_once(model)
    return _packed(model)


def _store_in_8_bits(model: Any, graph: Any, table: NDArray[np.int8], schema: Any) -> None:
    """Let products with the floats of `table` take its 8 bits."""
    operators = model.operatorCodes
    kinds = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16}
    for index, tensor in enumerate(graph.tensors):
        data = model.buffers[tensor.buffer].data
        if tensor.type not in kinds or data is None or tuple(tensor.shape) != table.shape:
            continue
        floats = np.frombuffer(np.ascontiguousarray(data).tobytes(), kinds[tensor.type]).reshape(table.shape)
        if not np.array_equal(floats, table):
            continue
        # Floats of 16 bits reach the product through an operator that widens them.
        places = {index}
        for operator in graph.operators:
            code = operators[operator.opcodeIndex].builtinCode
            if code == schema.BuiltinOperator.DEQUANTIZE and operator.inputs[0] == index:
                places.add(int(operator.outputs[0]))
        products = [
            operator
            for operator in graph.operators
            if operators[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.FULLY_CONNECTED
            and int(operator.inputs[1]) in places
        ]
        if not products:
            continue
        tensor.type = schema.TensorType.INT8
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [1.0], [0]
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = np.frombuffer(table.tobytes(), np.uint8)
        tensor.buffer = len(model.buffers) - 1
        for operator in products:
            operator.inputs[1] = index
            operator.builtinOptions.asymmetricQuantizeInputs = True
            code = operators[operator.opcodeIndex]
            code.version = max(code.version, HYBRID_VERSION)
        graph.operators = [operator for operator in graph.operators if not _widens(operator, index, operators, schema)]


def _widens(operator: Any, index: int, operators: Any, schema: Any) -> bool:
    code = operators[operator.opcodeIndex].builtinCode
    return bool(code == schema.BuiltinOperator.DEQUANTIZE and operator.inputs[0] == index)


def _halve(model: Any, graph: Any, schema: Any) -> None:
    """Store large constants in 16 bits, which the runtime widens once, when it opens the model."""
    products = schema.BuiltinOperator.FULLY_CONNECTED
    weights = {
        int(index)
        for operator in graph.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode == products
        for index in operator.inputs
    }
    widening: list[Any] = []
    for index in range(len(graph.tensors)):
        tensor = graph.tensors[index]
        data = model.buffers[tensor.buffer].data
        if tensor.type != schema.TensorType.FLOAT32 or index in weights or data is None or len(data) < _LEAST_BYTES:
            continue
        floats = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.float32)
        half = copy(tensor)
        half.type, half.name = schema.TensorType.FLOAT16, f"half_{index}"
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = np.frombuffer(floats.astype(np.float16).tobytes(), np.uint8)
        half.buffer, tensor.buffer = len(model.buffers) - 1, 0
        graph.tensors.append(half)
        widen = schema.OperatorT()
        widen.opcodeIndex, widen.inputs, widen.outputs = -1, [len(graph.tensors) - 1], [index]
        widening.append(widen)
    if not widening:
        return
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = WIDENING_VERSION
    model.operatorCodes.append(code)
    for widen in widening:
        widen.opcodeIndex = len(model.operatorCodes) - 1
    graph.operators = [*widening, *graph.operators]


def _one_scale(tensor: Any) -> None:
    found = tensor.quantization
    if found is None or found.scale is None or len(found.scale) < 2:
        return
    if len(set(map(float, found.scale))) == 1 and not any(found.zeroPoint):
        found.scale, found.zeroPoint = found.scale[:1], found.zeroPoint[:1]
        found.min = found.max = None
        found.quantizedDimension = 0


def _store_once(model: Any) -> None:
    """Keep one buffer of each content, and no tensor that no operator, input or output names."""
    kept = [model.buffers[0]]
    known: dict[bytes, int] = {}
    for graph in model.subgraphs:
        used = sorted({int(index) for index in _used(graph) if index >= 0})
        number = {index: position for position, index in enumerate(used)}
        graph.tensors = [graph.tensors[index] for index in used]
        for holder in (graph, *graph.operators):
            for name in ("inputs", "outputs", "intermediates"):
                if getattr(holder, name, None) is not None:
                    setattr(holder, name, [number.get(int(index), -1) for index in getattr(holder, name)])
        if model.subgraphs.index(graph) == 0:
            for signature in model.signatureDefs or []:
                for entry in (*signature.inputs, *signature.outputs):
                    entry.tensorIndex = number[int(entry.tensorIndex)]
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if data is None or not len(data):
                tensor.buffer = 0
                continue
            content = np.ascontiguousarray(data).tobytes()
            if content not in known:
                known[content] = len(kept)
                kept.append(model.buffers[tensor.buffer])
            tensor.buffer = known[content]
    for entry in model.metadata or []:
        kept.append(model.buffers[entry.buffer])
        entry.buffer = len(kept) - 1
    model.buffers = kept


def _used(graph: Any) -> Iterator[int]:
    yield from graph.inputs
    yield from graph.outputs
    for operator in graph.operators:
        yield from operator.inputs
        yield from operator.outputs
        yield from operator.intermediates if operator.intermediates is not None else ()


def _packed(model: Any) -> bytes:
    from flatbuffers import Builder  # type: ignore[import-untyped]

    class Aligned(Builder):  # type: ignore[misc]
        """Puts constants where processors read floats of any width at once."""

        def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:  # noqa: N802, N803
            wide = elemSize == 1 and numElems >= _ALIGNMENT
            return super().StartVector(elemSize, numElems, _ALIGNMENT if wide else alignment)

    builder = Aligned(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
