"""Approximate search with ScaNN."""

import importlib
import importlib.util
import sys
import threading
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError, MissingDependencyError, SavorError
from savor.index.exact import ExactIndex
from savor.index.files import checked, read_description, write_description

_SMALLEST = 1000
_SAMPLE_PER_LEAF = 64
_REORDERED = 400
_IMPORT = threading.Lock()


class ScannIndex:
    """A tree of about 2√N leaves of which 8% are searched (140 at least), and asymmetric hashing.

    Guo et al., "Accelerating large-scale inference with anisotropic vector quantization", 2020; two dimensions a block,
    exact scores for the best 5k (at least 400). Under 1,000 items all are searched exactly. A million vectors of a
    supermarket then give .994 of their best 200; twice the leaves and the time give .001 more.

    Only ScaNN's own numeric files are read and written: its loader would unpickle a file of document ids, so it is not
    used, and TensorFlow, which ScaNN imports where it finds it, is kept out.
    """

    kind = "scann"

    def __init__(self, searcher: Any, items: int, dimension: int, exact: ExactIndex | None) -> None:
        self._searcher = searcher
        self._items = items
        self._dimension = dimension
        self._exact = exact

    @staticmethod
    def is_installed() -> bool:
        """Whether this machine can use ScaNN (Linux, with the `serve` extra)."""
        return importlib.util.find_spec("scann") is not None

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> Self:
        """See `Index.build`.

        Raises:
            MissingDependencyError: ScaNN is not installed.
        """
        vectors = checked(vectors)
        items, dimension = vectors.shape
        if items < _SMALLEST:
            return cls(None, items, dimension, ExactIndex.build(vectors))
        ops = _scann_ops()
        leaves = _leaves(items)
        searcher = (
            ops.builder(vectors, 10, "dot_product")
            .tree(
                num_leaves=leaves,
                num_leaves_to_search=_searched(items),
                training_sample_size=min(items, _SAMPLE_PER_LEAF * leaves),
                random_init=False,
            )
            .score_ah(2, anisotropic_quantization_threshold=0.2, training_sample_size=50_000)
            .reorder(_REORDERED)
            .build()
        )
        return cls(searcher, items, dimension, None)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """See `Index.load`.

        Raises:
            MissingDependencyError: ScaNN is not installed.
        """
        _, items, dimension = read_description(directory, cls.kind)
        if items < _SMALLEST:
            return cls(None, items, dimension, ExactIndex.load(directory / "exact"))
        ops = _scann_ops()
        assets = directory / "scann"
        try:
            text = (assets / "scann_assets.pbtxt").read_text(encoding="utf-8")
            searcher = ops.ScannSearcher(ops.scann_pybind.ScannNumpy(str(assets), text))
        except (OSError, RuntimeError, ValueError) as error:
            raise BundleError(f"the ScaNN index in {directory} cannot be read ({error}); publish again") from None
        if searcher.size() != items:
            raise BundleError(f"{directory}: expected {items} items in the ScaNN index, got {searcher.size()}")
        return cls(searcher, items, dimension, None)

    def save(self, directory: Path) -> None:
        """See `Index.save`."""
        write_description(directory, self.kind, self._items, self._dimension)
        if self._exact is not None:
            self._exact.save(directory / "exact")
            return
        assets = directory / "scann"
        assets.mkdir(exist_ok=True)
        self._searcher.serialize(str(assets), relative_path=True)

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See `Index.search`."""
        if self._exact is not None:
            return self._exact.search(queries, k)
        queries = checked(queries, self._dimension)
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        if not len(queries) or not k:
            return items, scores
        wanted = min(k, self._items)
        candidates, leaves = min(self._items, max(_REORDERED, 5 * k)), _searched(self._items)
        if len(queries) == 1:
            found, values = self._searcher.search(queries[0], wanted, candidates, leaves)
            items[0, : len(found)], scores[0, : len(found)] = found, values
            return items, scores
        found, values = self._searcher.search_batched(queries, wanted, candidates, leaves)
        there = ~np.isnan(values)
        items[:, :wanted] = np.where(there, found.astype(np.int32), -1)
        scores[:, :wanted] = np.where(there, values, -np.inf)
        return items, scores

    def __len__(self) -> int:
        return self._items


def _leaves(items: int) -> int:
    return int(2 * np.sqrt(items))


def _searched(items: int) -> int:
    """How many leaves a search looks into."""
    return min(_leaves(items), max(140, int(0.08 * _leaves(items))))


def _scann_ops() -> Any:
    """The part of ScaNN that works on NumPy, imported without TensorFlow even where that is installed.

    Raises:
        MissingDependencyError: not installed.
        SavorError: installed, and unusable.
    """
    with _IMPORT:
        absent = "tensorflow" not in sys.modules
        if absent and "scann" not in sys.modules:
            sys.modules["tensorflow"] = None  # type: ignore[assignment]
        try:
            return importlib.import_module("scann.scann_ops.py.scann_ops_pybind")
        except ModuleNotFoundError:
            raise MissingDependencyError("scann", "serve") from None
        except ImportError as error:
            raise SavorError(f"ScaNN is installed but cannot be loaded: {error}") from None
        finally:
            if absent and sys.modules.get("tensorflow", 0) is None:
                del sys.modules["tensorflow"]
