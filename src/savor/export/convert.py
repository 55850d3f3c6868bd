"""From a function to a LiteRT model."""

import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import ExportError
from savor.core.native_output import native_output_hidden
from savor.export.operators import refusal
from savor.export.variant import Variant

Examples = Callable[[], Iterator[Mapping[str, NDArray[Any]]]]
"""Gives the inputs of real questions, one at a time, again and again."""


def convert(
    function: Any, inputs: Mapping[str, Any], signature: str, variant: Variant, examples: Examples | None = None
) -> bytes:
    """A `.tflite` file with one signature.

    Args:
        function: `tf.function` from named tensors to named tensors.
        inputs: `tf.TensorSpec` by name.
        signature: its name.
        variant: how weights are stored.
        examples: what the ranges of numbers are learnt from, where all numbers become 8 bits.

    Raises:
        ExportError: the converter refuses; names the operator where it says which.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert_phase import ConverterError

    module = tf.Module()
    with tempfile.TemporaryDirectory(prefix="savor-") as folder, native_output_hidden():
        tf.saved_model.save(module, folder, signatures={signature: function.get_concrete_function(**inputs)})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[signature])
        match variant.weights:
            case "float16":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.target_spec.supported_types = [tf.float16]
            case "dynamic_int8":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            case "full_int8":
                if examples is None:
                    raise ValueError("full_int8 needs examples")
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.representative_dataset = lambda: ((signature, _writable(one)) for one in examples())
                converter.target_spec.supported_ops = [
                    tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
                    tf.lite.OpsSet.TFLITE_BUILTINS,
                ]
        try:
            with warnings.catch_warnings():
                # The converter learns ranges with an interpreter that says of itself that it is old.
                warnings.simplefilter("ignore")
                return bytes(converter.convert())
        except (ConverterError, RuntimeError, ValueError, NotImplementedError) as error:
            if found := refusal(str(error)):
                raise found from None
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ExportError(f"the {variant.name} model cannot be made: {first}; try another variant") from error


def _writable(inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name: np.ascontiguousarray(value) for name, value in inputs.items()}
