"""Neural collaborative filtering as a ranker."""

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from savor.features.table_encoder import Inputs
from savor.models.litert_scorer import LiteRtScorer


class PairRanker:
    """Codes of a user and of items to scores.

    Args:
        network: gives (N, 1).

    Attributes:
        codes: names of the inputs, `item_id` and `user_id`.
    """

    def __init__(self, network: LiteRtScorer) -> None:
        self._network = network
        self.codes = network.inputs

    @classmethod
    def load(cls, path: Path, threads: int = 1) -> Self:
        """Open a `.tflite` file.

        Raises:
            BundleError: the file is absent or is not a LiteRT model.
            MissingDependencyError: the LiteRT runtime is not installed.
        """
        return cls(LiteRtScorer.load(path, threads))

    def score(self, codes: Inputs) -> NDArray[np.float32]:
        """(N,) float32 log-odds for N pairs; `codes` are (N,) int32 by name, in the vocabulary it was trained with."""
        return self._network(codes)[:, 0]
