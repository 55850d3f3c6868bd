"""Any image model in ONNX format, without a deep-learning framework."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import ConfigError, MissingDependencyError
from savor.core.hashing import sha256_file, sha256_json

DEFAULT_SIZE = 224


class OnnxImageEncoder:
    """Image vectors of an ONNX model.

    Layout (NCHW or NHWC), size and type of the input are found from the model; where it leaves height and width open,
    pictures of 224 × 224 are given. Inputs of type uint8 get the pixels as they are, others `(pixel - mean) /
    deviation` per channel. An output with height and width is averaged over both.

    Args:
        path: the `.onnx` file.
        mean, deviation: per channel of red, green and blue, in units of 0 to 255.
        output: name of the output with the vectors; None for the first.
        threads: processors to use; None for all.

    Raises:
        ConfigError: the file is absent, is no ONNX model, or does not take pictures.
        MissingDependencyError: ONNX Runtime is not installed.
    """

    def __init__(
        self,
        path: Path,
        mean: tuple[float, float, float] = (127.0, 127.0, 127.0),
        deviation: tuple[float, float, float] = (128.0, 128.0, 128.0),
        output: str | None = None,
        threads: int | None = None,
    ) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingDependencyError("onnxruntime", "train") from None
        if not path.is_file():
            raise ConfigError([f"images.encoder: {path} is absent"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        options.inter_op_num_threads = 1
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - the runtime's errors have no common base but this one
            raise ConfigError([f"images.encoder: {path} is not a readable ONNX model ({error})"]) from None
        (entry, *others) = self._session.get_inputs()
        outputs = [one.name for one in self._session.get_outputs()]
        problems = [f"images.encoder: {path} has {1 + len(others)} inputs, not one"] if others else []
        if output is not None and output not in outputs:
            problems.append(f"images.output: {path} has the outputs {outputs}, and not {output!r}")
        shape = entry.shape
        if len(shape) != 4 or 3 not in (shape[1], shape[3]):
            problems.append(f"images.encoder: the input of {path} has shape {shape}, not (n, 3, h, w) or (n, h, w, 3)")
        if problems:
            raise ConfigError(problems)
        self._input, self._output = entry.name, output or outputs[0]
        self._type = {"tensor(uint8)": np.uint8, "tensor(float16)": np.float16}.get(entry.type, np.float32)
        self._channels_first = shape[1] == 3
        side = shape[2]
        self.size = side if isinstance(side, int) and side > 0 else DEFAULT_SIZE
        self._batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None
        self._mean = np.asarray(mean, np.float32)
        self._deviation = np.asarray(deviation, np.float32)
        method = sha256_json({"mean": mean, "deviation": deviation, "size": self.size, "output": self._output})
        self.name = f"onnx-{sha256_file(path)[:16]}-{method[:8]}"
        self.dimension = self.encode(np.zeros((1, self.size, self.size, 3), np.uint8)).shape[1]

    def encode(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, W) float32 of (N, size, size, 3) RGB pictures."""
        pixels: Any = images
        if self._type is not np.uint8:
            pixels = ((images.astype(np.float32) - self._mean) / self._deviation).astype(self._type)
        if self._channels_first:
            pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
        if self._batch is None:
            return self._run(pixels)
        parts = []
        for start in range(0, len(pixels), self._batch):
            part = pixels[start : start + self._batch]
            filled = np.zeros((self._batch, *part.shape[1:]), part.dtype)
            filled[: len(part)] = part
            parts.append(self._run(filled)[: len(part)])
        return np.concatenate(parts)

    def _run(self, pixels: Any) -> NDArray[np.float32]:
        found = np.asarray(self._session.run([self._output], {self._input: pixels})[0], np.float32)
        if found.ndim == 4:
            # The model's layout holds for its output as well.
            found = found.mean(axis=(2, 3) if self._channels_first else (1, 2))
        return found.reshape(len(found), -1)
