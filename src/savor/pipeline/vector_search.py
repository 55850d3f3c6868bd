"""Nearest items among those that may be shown."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from savor.index.index import Index
from savor.pipeline.candidates import Retrieved

_EXACT_BELOW = 4_000
_WIDEST = 2_000
_TINY = np.float32(1e-9)
_SAMPLE = 1000
_NONE = np.empty(0, np.int32)


class VectorSearch:
    """An index and the vectors in it.

    Args:
        index: over the first rows of `vectors`.
        vectors: (I, D) float32; row r belongs to item r.
        fresh: (F,) int32 ascending, rows that the index does not have, or has otherwise; they are looked at one by one.
    """

    def __init__(self, index: Index, vectors: NDArray[np.float32], fresh: NDArray[np.int32] = _NONE) -> None:
        self._index, self.vectors, self._fresh = index, vectors, fresh
        self._stale = np.zeros(len(vectors) if len(fresh) else 0, np.bool_)
        self._stale[fresh] = True
        self._stale_in_index = int(np.searchsorted(fresh, len(index)))

    def over(
        self, index: Index, vectors: NDArray[np.float32], fresh: NDArray[np.int32], changed: NDArray[np.int32]
    ) -> "VectorSearch":
        """The same over more vectors, of which those at `changed` are others; what is known of the rest is kept."""
        made = VectorSearch(index, vectors, fresh)
        if "_lengths" in vars(self):
            lengths = self._lengths
            if lengths is not None:
                longer = np.ones(len(vectors), np.float32)
                longer[: len(lengths)] = lengths
                longer[changed] = np.maximum(np.linalg.norm(vectors[changed], axis=1), _TINY)
                lengths = longer
            vars(made)["_lengths"] = lengths
        return made

    def nearest(self, vector: NDArray[np.float32], k: int, eligible: NDArray[np.bool_]) -> Retrieved:
        """The k eligible items with the largest inner product.

        Asks the index for more than k where some items are not eligible; where few are, or it did not bring enough of
        them, every eligible item is looked at.

        Args:
            vector: (D,) float32.
            k: how many.
            eligible: (I,) bool.
        """
        number = int(np.count_nonzero(eligible))
        total = len(eligible)
        wanted = k if number == total else k + k * (total - number) // max(number, 1) + min(k, total - number)
        if number > _EXACT_BELOW:
            for width in dict.fromkeys((wanted, wanted + self._stale_in_index)):
                found = self._indexed(vector, k, eligible, width) if width <= _WIDEST else None
                if found is not None and len(found.item) >= min(k, number):
                    return found
        if number > total // 8:
            return self._masked(vector, min(k, number), eligible)
        return self._exact(vector, k, np.flatnonzero(eligible))

    def _indexed(
        self, vector: NDArray[np.float32], k: int, eligible: NDArray[np.bool_], width: int
    ) -> Retrieved | None:
        """The best k of what is among the first `width` of the index or fresh; None where some may be missing."""
        items, scores = self._index.search(vector[None, :], min(width, len(self._index)))
        item, score = items[0], scores[0]
        kept = item >= 0
        kept &= eligible[item]
        if not len(self._fresh):
            return Retrieved(item[kept][:k], score[kept][:k])
        kept &= ~self._stale[item]
        if np.count_nonzero(kept) < k:
            return None
        fresh = self._fresh[eligible[self._fresh]]
        item = np.concatenate([item[kept], fresh])
        score = np.concatenate([score[kept], self.vectors[fresh] @ vector])
        head = np.lexsort((item, -score))[:k]
        return Retrieved(item[head], score[head])

    def like(self, item: int, k: int, eligible: NDArray[np.bool_]) -> Retrieved:
        """The k eligible items whose vectors have the largest cosine to that of `item`.

        Vectors of any other length than 1 are all looked at, as the index finds the largest inner products.
        """
        vector, lengths = np.asarray(self.vectors[item]), self._lengths
        if lengths is None:
            return self.nearest(vector, k, eligible)
        rows = np.flatnonzero(eligible)
        score = ((self.vectors @ vector) / (lengths * max(lengths[item], _TINY)))[rows].astype(np.float32)
        head = np.lexsort((rows, -score))[:k]
        return Retrieved(rows[head].astype(np.int32), score[head])

    @cached_property
    def _lengths(self) -> NDArray[np.float32] | None:
        """(I,) lengths of the vectors; None where they are 1.

        A tower gives all vectors the length 1, or none on purpose, so a sample tells which.
        """
        sample = self.vectors[:: max(len(self.vectors) // _SAMPLE, 1)]
        if np.allclose(np.linalg.norm(sample, axis=1), 1, atol=1e-3):
            return None
        lengths: NDArray[np.float32] = np.linalg.norm(self.vectors, axis=1)
        return np.maximum(lengths, _TINY)

    def _masked(self, vector: NDArray[np.float32], k: int, eligible: NDArray[np.bool_]) -> Retrieved:
        """All scores, those of other items out of the way: cheaper than a copy of the vectors of many items."""
        score = self.vectors @ vector
        score[~eligible] = -np.inf
        head = np.argpartition(-score, k - 1)[:k] if k < len(score) else np.arange(len(score))
        head = head[np.lexsort((head, -score[head]))]
        return Retrieved(head.astype(np.int32), score[head])

    def _exact(self, vector: NDArray[np.float32], k: int, rows: NDArray[np.intp]) -> Retrieved:
        vectors = self.vectors if len(rows) == len(self.vectors) else self.vectors[rows]
        score = vectors @ vector
        head = np.argpartition(-score, k)[:k] if len(rows) > k else np.arange(len(rows))
        head = head[np.lexsort((rows[head], -score[head]))]
        return Retrieved(rows[head].astype(np.int32), score[head])
