"""Items like a given one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.features.catalogue import Catalogue
from savor.pipeline.item_filter import ItemFilter
from savor.pipeline.picture_search import PictureSearch
from savor.pipeline.result import Fallback
from savor.pipeline.stages.popular import Popular
from savor.pipeline.vector_search import VectorSearch


@dataclass(frozen=True)
class Similar:
    """The answer: (n,) int32 `items`, (n,) float32 `scores`, falling, and `fallbacks` as in `Result`."""

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    fallbacks: tuple[Fallback, ...]

    @property
    def fallback(self) -> str | None:
        """The fallbacks as one line, or None."""
        return "; ".join(f"{code}: {text}" for code, text in self.fallbacks) or None


class SimilarItems:
    """Nearest by item vector or by picture; popular items where the item is unknown or there are no vectors."""

    def __init__(
        self,
        catalogue: Catalogue,
        search: VectorSearch | None,
        popular: Popular,
        pictures: PictureSearch | None = None,
    ) -> None:
        self._catalogue, self._search, self._popular, self._pictures = catalogue, search, popular, pictures

    def find(self, item: int | None, n: int, condition: ItemFilter | None, *, by_picture: bool = False) -> Similar:
        """Up to n items like item row `item`, without itself.

        Args:
            item: row of the catalogue; None for one that is not in it.
            n: how many.
            condition: what they must be like; None accepts all.
            by_picture: look at the pictures alone; where there is none, at the item vectors.
        """
        eligible = self._catalogue.in_stock.copy()
        if condition is not None:
            eligible &= condition.matches(slice(None))
        if item is not None:
            eligible[item] = False
        fallbacks: list[Fallback] = []
        pictures = self._pictures if by_picture else None
        if by_picture and item is not None and (pictures is None or not pictures.has(item)):
            fallbacks.append(Fallback("picture_absent", "the bundle has no picture of the item; its vector decides"))
            pictures = None
        if item is not None and pictures is not None:
            found = pictures.nearest(item, n, eligible)
        elif item is not None and self._search is not None:
            found = self._search.like(item, n, eligible)
        else:
            found = self._popular.fill(n, {"eligible": eligible}, taken=np.empty(0, np.int32))
            fallbacks.append(
                Fallback("unknown_item", "the item is not in the catalogue; these are popular ones")
                if item is None
                else Fallback("ann_absent", "the bundle has no item vectors; these are popular ones")
            )
        if len(found.item) < n:
            fallbacks.append(Fallback("catalogue_exhausted", f"only {len(found.item)} items may be shown"))
        return Similar(found.item, found.score, tuple(fallbacks))
