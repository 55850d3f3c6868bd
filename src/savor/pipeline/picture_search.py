"""Items that look alike."""

import numpy as np
from numpy.typing import NDArray

from savor.features.images.vectors import ImageVectors
from savor.pipeline.candidates import Retrieved

_CHUNK = 4096


class PictureSearch:
    """Looks at all pictures, in pieces, so that they may stay on disk.

    Args:
        images: vectors of I items.
    """

    def __init__(self, images: ImageVectors) -> None:
        self._images = images

    def has(self, item: int) -> bool:
        """Whether there is a usable picture of an item."""
        return 0 <= item < len(self._images.row) and int(self._images.row[item]) > 0

    def nearest(self, item: int, k: int, eligible: NDArray[np.bool_]) -> Retrieved:
        """The k eligible items whose pictures are most like that of `item` (cosine); those without one are left out."""
        vectors = self._images.vectors
        wanted = np.asarray(vectors[self._images.row[item]], np.float32)
        likeness = np.empty(len(vectors), np.float32)
        for start in range(0, len(vectors), _CHUNK):
            likeness[start : start + _CHUNK] = np.asarray(vectors[start : start + _CHUNK], np.float32) @ wanted
        rows = np.flatnonzero((self._images.row > 0) & eligible)
        score = likeness[self._images.row[rows]]
        head = np.lexsort((rows, -score))[:k]
        return Retrieved(rows[head].astype(np.int32), score[head])
