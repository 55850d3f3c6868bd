"""A network over pairs run by LiteRT."""

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from savor.features.table_encoder import Inputs
from savor.models.litert_tower import LiteRtTower

STEP = 64
"""Rows are padded to a multiple of this, so that most requests find the network laid out for their size."""


class LiteRtScorer:
    """Named inputs of N rows to N rows of numbers; safe from several threads, which take turns.

    Attributes:
        inputs: names of the inputs.
    """

    def __init__(self, network: LiteRtTower) -> None:
        self._network = network
        self.inputs = network.inputs

    @classmethod
    def load(cls, path: Path, threads: int = 1) -> Self:
        """Open a `.tflite` file.

        Raises:
            BundleError: the file is absent or is not a LiteRT model with a signature.
            MissingDependencyError: the LiteRT runtime is not installed.
        """
        return cls(LiteRtTower.load(path, threads))

    def __call__(self, inputs: Inputs) -> NDArray[np.float32]:
        """(N, H) float32, one call of the network for all N rows.

        Raises:
            ValueError: an input is absent or of the wrong shape.
        """
        rows = len(inputs[self.inputs[0]])
        padding = -rows % STEP
        if padding:
            inputs = {
                name: np.concatenate([inputs[name], np.zeros((padding, *inputs[name].shape[1:]), inputs[name].dtype)])
                for name in self.inputs
            }
        return self._network(inputs)[:rows]
