"""The cross network as a ranker."""

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from savor.features.normaliser import Normaliser
from savor.features.table_encoder import Inputs
from savor.models.litert_scorer import LiteRtScorer

HEADS = ("ctr", "rating")
"""What the columns of the network's output are."""

FEATURES = "features"


class DcnRanker:
    """Rows of features, and codes of ids where the network has embeddings, to what each head says.

    Args:
        normaliser: of the features.
        network: gives (N, 2).

    Attributes:
        codes: names of the inputs beside the features.
    """

    def __init__(self, normaliser: Normaliser, network: LiteRtScorer) -> None:
        self._normaliser, self._network = normaliser, network
        self.codes = tuple(name for name in network.inputs if name != FEATURES)

    @classmethod
    def load(cls, directory: Path, name: str, threads: int = 1) -> Self:
        """Open `name`.tflite and `name`.normaliser.json in `directory`.

        Raises:
            BundleError: a file is absent or damaged.
            MissingDependencyError: the LiteRT runtime is not installed.
        """
        return cls(
            Normaliser.load(directory / f"{name}.normaliser.json"),
            LiteRtScorer.load(directory / f"{name}.tflite", threads),
        )

    def heads(self, features: NDArray[np.float32], codes: Inputs | None = None) -> dict[str, NDArray[np.float32]]:
        """What each head says of N pairs.

        Args:
            features: (N, F) float32, NaN where unknown.
            codes: (N,) int32 by name, at least those of `codes`.

        Returns:
            (N,) float32 by head: `ctr`, the chance of being chosen (among the candidates it learnt from), and `rating`,
            the rating in standard deviations above the mean.
        """
        inputs = {FEATURES: self._normaliser.transform(features), **(codes or {})}
        found = self._network(inputs)
        return {head: found[:, place] for place, head in enumerate(HEADS)}

    def score(self, features: NDArray[np.float32], codes: Inputs | None = None) -> NDArray[np.float32]:
        """(N,) float32, the chance of being chosen."""
        return self.heads(features, codes)["ctr"]
