"""Approximate search with FAISS (Douze et al., "The Faiss library", 2024), for where ScaNN does not run."""

import importlib
import importlib.util
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError, MissingDependencyError
from savor.index.files import checked, read_description, write_description

_SMALLEST = 1000


class FaissIndex:
    """An inverted file of about 2√N lists with whole vectors, of which a tenth are searched (16 at least).

    Quick to build, as small as the vectors themselves, exact inside the lists searched. Under 1,000 items all are
    searched.
    """

    kind = "faiss"

    def __init__(self, index: Any) -> None:
        self._index = index

    @staticmethod
    def is_installed() -> bool:
        """Whether this machine can use FAISS."""
        return importlib.util.find_spec("faiss") is not None

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> Self:
        """See `Index.build`.

        Raises:
            MissingDependencyError: FAISS is not installed.
        """
        vectors = checked(vectors)
        faiss = _faiss()
        items, dimension = vectors.shape
        flat = faiss.IndexFlatIP(dimension)
        if items < _SMALLEST:
            flat.add(vectors)
            return cls(flat)
        lists = int(2 * np.sqrt(items))
        index = faiss.IndexIVFFlat(flat, dimension, lists, faiss.METRIC_INNER_PRODUCT)
        index.cp.seed = 0
        index.cp.min_points_per_centroid = 1
        index.cp.max_points_per_centroid = 256
        index.train(vectors)
        index.add(vectors)
        index.nprobe = min(lists, max(16, lists // 10))
        return cls(index)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """See `Index.load`.

        Raises:
            MissingDependencyError: FAISS is not installed.
        """
        _, items, dimension = read_description(directory, cls.kind)
        faiss = _faiss()
        try:
            index = faiss.read_index(str(directory / "faiss.index"))
        except RuntimeError as error:
            raise BundleError(f"the FAISS index in {directory} cannot be read ({error}); publish again") from None
        if (index.ntotal, index.d) != (items, dimension):
            raise BundleError(
                f"{directory}: expected {items} vectors of length {dimension}, got {index.ntotal} of {index.d}"
            )
        return cls(index)

    def save(self, directory: Path) -> None:
        """See `Index.save`."""
        write_description(directory, self.kind, len(self), self._index.d)
        _faiss().write_index(self._index, str(directory / "faiss.index"))

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See `Index.search`."""
        queries = checked(queries, self._index.d)
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        wanted = min(k, len(self))
        if wanted and len(queries):
            values, found = self._index.search(queries, wanted)
            items[:, :wanted] = found
            scores[:, :wanted] = np.where(found >= 0, values, -np.inf)
        return items, scores

    def __len__(self) -> int:
        return int(self._index.ntotal)


def _faiss() -> Any:
    try:
        return importlib.import_module("faiss")
    except ModuleNotFoundError:
        raise MissingDependencyError("faiss-cpu", "serve") from None
