"""EfficientNetB0 as Keras ships it (Tan and Le 2019), without its top."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from savor.core.errors import ConfigError
from savor.core.hashing import sha256_file

SIZE = 224


class EfficientNetB0Encoder:
    """Image vectors: the last feature map averaged over height and width, (N, 1280) float32.

    The network scales pixels itself. The official weights are learnt from ImageNet.

    Args:
        weights: file with weights of the network without its top; None for the official ones, which Keras fetches once
            and keeps under `~/.keras`.

    Raises:
        ConfigError: the weights cannot be had or do not fit.
    """

    def __init__(self, weights: Path | None = None) -> None:
        self.size, self.dimension = SIZE, 1280
        given: Any = "imagenet" if weights is None else str(weights)
        try:
            self._network: Any = keras.applications.EfficientNetB0(
                include_top=False, weights=given, input_shape=(SIZE, SIZE, 3), pooling="avg"
            )
        except Exception as error:  # noqa: BLE001 - downloads, missing files and wrong shapes raise different errors
            what = "could not be fetched" if weights is None else f"in {weights} cannot be used"
            problem = (
                f"images.encoder: the weights of EfficientNetB0 {what} ({_short(error)}). Without a network, name a "
                'weights file in images.weights, or any ONNX image model: [images] encoder = "model.onnx"; or leave '
                "pictures out: [features] images = false and visual_preference = false"
            )
            raise ConfigError([problem]) from None
        digest = "imagenet" if weights is None else sha256_file(weights)[:16]
        self.name = f"efficientnetb0-{digest}"

    def encode(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, 1280) float32 of (N, 224, 224, 3) RGB pictures, 32 at a time."""
        parts = [
            np.asarray(self._network(images[start : start + 32].astype(np.float32), training=False), np.float32)
            for start in range(0, len(images), 32)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), np.float32)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
