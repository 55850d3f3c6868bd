"""What every index of vectors does."""

from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Index(Protocol):
    """The vectors of N items, searched by inner product.

    A folder written by `save` can be copied and loaded anywhere, holds no absolute path and no pickle. `search` may be
    called from several threads at once.

    Attributes:
        kind: the name `open_index` finds the implementation by.
    """

    kind: str

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> Self:
        """Make an index; the same vectors give the same answers.

        Args:
            vectors: (N, D) float32, finite; N may be 0. Row r is item r.
        """

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: the folder is absent, damaged or of another kind.
        """

    def save(self, directory: Path) -> None:
        """Write the index into `directory`, which is made if absent."""

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The k items with the largest inner product, best first.

        Args:
            queries: (B, D) float32.
            k: how many; may be larger than N.

        Returns:
            (B, k) int32 items and (B, k) float32 inner products; -1 and minus infinity where there are no more.
        """

    def __len__(self) -> int: ...
