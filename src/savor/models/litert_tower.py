"""A tower run by LiteRT: what serving uses in place of a deep-learning framework."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError, MissingDependencyError


class LiteRtTower:
    """Named inputs of B rows to vectors.

    One tower may be called from several threads: calls take turns. B may change from call to call; calls with the same
    B as the one before are fastest.

    Attributes:
        inputs: names of the inputs.
    """

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._lock = Lock()
        signature = next(iter(interpreter.get_signature_list().values()))
        key = next(iter(interpreter.get_signature_list()))
        details = interpreter.get_signature_runner(key).get_input_details()
        self.inputs = tuple(sorted(signature["inputs"]))
        self._slots = [(name, details[name]["index"], details[name]["dtype"]) for name in self.inputs]
        self._output = interpreter.get_output_details()[0]["index"]
        self._shapes = {index: tuple(map(int, details[name]["shape_signature"])) for name, index, _ in self._slots}
        self._rows = -1

    @classmethod
    def load(cls, path: Path, threads: int = 1) -> "LiteRtTower":
        """Open a `.tflite` file.

        Raises:
            BundleError: the file is absent or is not a LiteRT model with a signature.
            MissingDependencyError: the LiteRT runtime is not installed.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            raise MissingDependencyError("ai-edge-litert", "serve") from None
        try:
            return cls(Interpreter(model_content=path.read_bytes(), num_threads=threads))
        except (OSError, ValueError, RuntimeError, StopIteration) as error:
            raise BundleError(f"{path} cannot be read as a LiteRT model ({error}); publish the bundle again") from None

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """(B, D) float32 vectors; names in `inputs` that the tower does not have are not looked at.

        Raises:
            ValueError: an input is absent or of the wrong shape.
        """
        absent = [name for name in self.inputs if name not in inputs]
        if absent:
            raise ValueError(f"the tower needs the inputs {absent}")
        rows = len(inputs[self.inputs[0]])
        for name, index, _ in self._slots:
            if inputs[name].shape != (rows, *self._shapes[index][1:]):
                expected = (rows, *self._shapes[index][1:])
                raise ValueError(f"the tower's input {name} must have shape {expected}, not {inputs[name].shape}")
        with self._lock:
            if rows != self._rows:
                self._resize(rows)
            for name, index, dtype in self._slots:
                self._interpreter.set_tensor(index, np.ascontiguousarray(inputs[name], dtype))
            self._interpreter.invoke()
            return np.asarray(self._interpreter.get_tensor(self._output))

    def _resize(self, rows: int) -> None:
        self._rows = -1
        for _, index, _ in self._slots:
            self._interpreter.resize_tensor_input(index, (rows, *self._shapes[index][1:]))
        self._interpreter.allocate_tensors()
        self._rows = rows
