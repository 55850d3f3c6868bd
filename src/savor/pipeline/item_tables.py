"""Every table of a bundle with a row for each item."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.core.errors import BundleError
from savor.features.catalogue import Catalogue
from savor.features.feature_space import FeatureSpace
from savor.features.images.vectors import ImageVectors
from savor.features.item_statistics import ItemStatistics
from savor.index.choose import open_index
from savor.index.index import Index
from savor.models.neighbours import Neighbours
from savor.pipeline.vector_search import VectorSearch

_NONE = np.empty(0, np.int32)


@dataclass(frozen=True)
class ItemTables:
    """I items; None where the bundle lacks a table.

    Attributes:
        catalogue: what is known of them.
        popularity, trending: (I,) float32.
        neighbours: what is bought together; without columns where the bundle has no such table.
        vectors: (I, D) float32.
        index: over the first rows of `vectors`, as they were when it was built.
        fresh: (F,) int32 ascending, rows that `index` does not have, or has otherwise.
        trained: how many rows the bundle itself has; those after them came later.
        statistics: for the ranker's features.
        space: for the inputs of towers.
        images: of the items' pictures.
    """

    catalogue: Catalogue
    popularity: NDArray[np.float32]
    trending: NDArray[np.float32] | None
    neighbours: Neighbours
    vectors: NDArray[np.float32] | None
    index: Index | None
    statistics: ItemStatistics | None
    space: FeatureSpace | None
    images: ImageVectors | None
    fresh: NDArray[np.int32] = field(default_factory=lambda: _NONE)
    trained: int = 0

    def __len__(self) -> int:
        return len(self.catalogue)

    @cached_property
    def search(self) -> VectorSearch | None:
        """The nearest items by vector; None without vectors or without an index over them."""
        if self.index is None or self.vectors is None:
            return None
        return VectorSearch(self.index, self.vectors, self.fresh)

    @classmethod
    def load(cls, bundle: Bundle) -> "ItemTables":
        """Read those of a bundle.

        Raises:
            BundleError: a file is damaged, or has other items than the catalogue.
        """
        catalogue = Catalogue.load(bundle.path("catalogue"))
        number = len(catalogue)

        def checked(name: str, length: int) -> None:
            if length != number:
                raise BundleError(
                    f"{name} in bundle {bundle.id} has {length} rows and the catalogue {number}; train again"
                )

        def popularity(name: str) -> NDArray[np.float32] | None:
            file = f"sources/{name}.npy"
            if not bundle.has(file):
                return None
            values: NDArray[np.float32] = np.load(bundle.path(file), allow_pickle=False).astype(np.float32)
            checked(file, len(values))
            return values

        neighbours = Neighbours(np.empty((number, 0), np.int32), np.empty((number, 0), np.float32))
        if bundle.has("sources/co_purchase"):
            neighbours = Neighbours.load(bundle.path("sources/co_purchase"))
            checked("sources/co_purchase", len(neighbours))
        vectors, index = None, None
        if bundle.has("index") and bundle.has("vectors/items.npy"):
            vectors = np.asarray(np.load(bundle.path("vectors/items.npy"), mmap_mode="r", allow_pickle=False))
            checked("vectors/items.npy", len(vectors))
            index = open_index(bundle.path("index"))
        ever, images = popularity("popularity"), None
        if bundle.has("features/image_row.npy"):
            images = ImageVectors.load(bundle.path("features"), "image")
        return cls(
            catalogue,
            np.zeros(number, np.float32) if ever is None else ever,
            popularity("trending"),
            neighbours,
            vectors,
            index,
            ItemStatistics.load(bundle.path("state/statistics"), catalogue) if bundle.has("state/statistics") else None,
            FeatureSpace.load(bundle.path("features")) if bundle.has("features/feature_space.json") else None,
            images,
            trained=number,
        )
