"""Search that misses nothing."""

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError
from savor.core.top_k import top_k
from savor.index.files import checked, read_description, write_description

_SCORES_PER_BLOCK = 1 << 24


class ExactIndex:
    """All inner products with NumPy, in blocks of queries of at most 64 MB of scores; ties by lower item number."""

    kind = "exact"

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> Self:
        """See `Index.build`."""
        return cls(checked(vectors))

    @classmethod
    def load(cls, directory: Path) -> Self:
        """See `Index.load`."""
        _, items, dimension = read_description(directory, cls.kind)
        try:
            vectors = np.load(directory / "vectors.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise BundleError(f"the vectors in {directory} cannot be read ({error}); publish again") from None
        if vectors.shape != (items, dimension):
            raise BundleError(f"{directory}: expected vectors of shape {(items, dimension)}, got {vectors.shape}")
        return cls(vectors)

    def save(self, directory: Path) -> None:
        """See `Index.save`."""
        write_description(directory, self.kind, *self._vectors.shape)
        np.save(directory / "vectors.npy", self._vectors, allow_pickle=False)

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See `Index.search`."""
        queries = checked(queries, self._vectors.shape[1])
        rows = max(1, _SCORES_PER_BLOCK // max(len(self), 1))
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        for start in range(0, len(queries), rows):
            block = slice(start, start + rows)
            items[block], scores[block] = top_k(queries[block] @ self._vectors.T, k)
        return items, scores

    def __len__(self) -> int:
        return len(self._vectors)
