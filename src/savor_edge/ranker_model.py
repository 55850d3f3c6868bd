"""The network of a ranker: what it says of k items, in one call of LiteRT."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor_edge.errors import EdgeError

NAME, NEW_NAME = "ranker.tflite", "ranker_new.tflite"
SIGNATURE = "rank"


class RankerModel:
    """May be called from several threads: calls take turns.

    Attributes:
        shapes: dtype and static shape of every input, by name.
        heads: names of the outputs, each (1, k) float32.
    """

    def __init__(self, interpreter: Any) -> None:
        interpreter.allocate_tensors()
        runner = interpreter.get_signature_runner(SIGNATURE)
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        self.shapes = {
            name: (np.dtype(one["dtype"]).name, tuple(int(size) for size in one["shape"]))
            for name, one in inputs.items()
        }
        self.heads = tuple(sorted(outputs))
        self._slots = {name: int(one["index"]) for name, one in inputs.items()}
        self._outputs = {name: int(one["index"]) for name, one in outputs.items()}
        self._interpreter, self._lock = interpreter, Lock()

    @classmethod
    def open(cls, path: Path, threads: int = 1) -> "RankerModel":
        """Open `ranker.tflite` or `ranker_new.tflite`.

        Raises:
            EdgeError: it is absent or no ranker, or LiteRT is not installed.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            raise EdgeError(
                "the LiteRT runtime is not installed; install it with: pip install ai-edge-litert",
                code="dependency_missing",
            ) from None
        try:
            return cls(Interpreter(model_content=path.read_bytes(), num_threads=threads))
        except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
            raise EdgeError(
                f"{path} cannot be run as the ranker of an edge bundle ({error}); export or download it again",
                code="edge_bundle_invalid",
            ) from None

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """What each head says: (k,) float32 by its name.

        Args:
            inputs: by name with a batch dimension of 1; those that the network does not have are not looked at.

        Raises:
            EdgeError: an input is absent, or not of its dtype and shape, or the runtime fails.
        """
        for name, (dtype, shape) in self.shapes.items():
            value = inputs.get(name)
            if value is None or value.dtype != dtype or value.shape != shape:
                came = "is absent" if value is None else f"is {value.dtype} {value.shape}"
                raise EdgeError(
                    f"input {name!r} of the ranker must be {dtype} {shape}, and it {came}", code="input_invalid"
                )
        with self._lock:
            for name, slot in self._slots.items():
                self._interpreter.set_tensor(slot, inputs[name])
            try:
                self._interpreter.invoke()
            except (RuntimeError, ValueError) as error:
                raise EdgeError(f"the ranker cannot be run ({error})", code="model_failed") from None
            return {
                name: np.array(self._interpreter.get_tensor(slot)[0], np.float32)
                for name, slot in self._outputs.items()
            }
