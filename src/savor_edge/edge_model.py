"""The model of an edge bundle: inputs and mask to the best items, in one call of LiteRT."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor_edge.errors import EdgeError

NAME = "model.tflite"
SIGNATURE = "recommend"
MASK = "mask"
BARRED = np.float32(-1e9)
"""What the mask adds to the score of an item that may not be shown."""

LEAST = np.float32(-1e8)
"""Scores below are those of barred items."""


class Found(NamedTuple):
    """Best items first: (k,) int32 rows with (k,) float32 scores."""

    items: NDArray[np.int32]
    scores: NDArray[np.float32]


class EdgeModel:
    """May be called from several threads: calls take turns.

    Attributes:
        shapes: dtype and static shape of every input, by name; the mask among them.
    """

    def __init__(self, interpreter: Any) -> None:
        interpreter.allocate_tensors()
        signatures = interpreter.get_signature_list()
        if SIGNATURE not in signatures:
            raise ValueError(f"it has no signature {SIGNATURE!r}, only {sorted(signatures)}")
        runner = interpreter.get_signature_runner(SIGNATURE)
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        if MASK not in inputs or set(outputs) != {"items", "scores"}:
            raise ValueError(f"it has inputs {sorted(inputs)} and outputs {sorted(outputs)}")
        self.shapes = {
            name: (np.dtype(one["dtype"]).name, tuple(int(size) for size in one["shape"]))
            for name, one in inputs.items()
        }
        self._slots = {name: int(one["index"]) for name, one in inputs.items()}
        self._items, self._scores = int(outputs["items"]["index"]), int(outputs["scores"]["index"])
        self._free = np.zeros(self.shapes[MASK][1], np.float32)
        self._interpreter, self._lock = interpreter, Lock()

    @classmethod
    def open(cls, folder: Path, threads: int = 1) -> "EdgeModel":
        """Open `model.tflite`.

        Raises:
            EdgeError: it is absent or no model of an edge bundle, or LiteRT is not installed.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            raise EdgeError(
                "the LiteRT runtime is not installed; install it with: pip install ai-edge-litert",
                code="dependency_missing",
            ) from None
        try:
            return cls(Interpreter(model_content=(folder / NAME).read_bytes(), num_threads=threads))
        except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
            raise EdgeError(
                f"{folder / NAME} cannot be run as the model of an edge bundle ({error}); export or download it again",
                code="edge_bundle_invalid",
            ) from None

    def __call__(self, inputs: Mapping[str, NDArray[Any]], mask: NDArray[np.float32] | None = None) -> Found:
        """The best k items, barred ones last with scores below `LEAST`.

        Args:
            inputs: by name with a batch dimension of 1; those that the model does not have are not looked at.
            mask: (I,) float32 that is added to the scores, `BARRED` for items that may not be shown; None bars none.

        Raises:
            EdgeError: an input is absent, or not of its dtype and shape, or the runtime fails.
        """
        given = {MASK: self._free if mask is None else mask[None], **inputs}
        for name, (dtype, shape) in self.shapes.items():
            value = given.get(name)
            if value is None or value.dtype != dtype or value.shape != shape:
                came = "is absent" if value is None else f"is {value.dtype} {value.shape}"
                raise EdgeError(
                    f"input {name!r} of the model must be {dtype} {shape}, and it {came}", code="input_invalid"
                )
        with self._lock:
            for name, slot in self._slots.items():
                self._interpreter.set_tensor(slot, given[name])
            try:
                self._interpreter.invoke()
            except (RuntimeError, ValueError) as error:
                raise EdgeError(f"the model cannot be run ({error})", code="model_failed") from None
            items = np.asarray(self._interpreter.get_tensor(self._items))[0]
            scores = np.asarray(self._interpreter.get_tensor(self._scores))[0]
        return Found(items, scores)
