"""Items that are like one of them."""

import numpy as np
from numpy.typing import NDArray

from savor.assistant.understanding.knowledge import Mask
from savor.pipeline.build import Serving
from savor.pipeline.item_filter import ItemFilter

_WIDE = 5
"""How many times as many are looked at as are wanted."""


def most_alike(
    serving: Serving, like: int, items: Mask, rejected: NDArray[np.int32], n: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Of `items` those most like one: (n,) int32 rising rows and (n,) float32 how like it each is.

    That is the mean of the cosines of the tower's vectors and of the texts, over what is near by either of them.
    """
    eligible = items.copy()
    eligible[[like, *rejected.tolist()]] = False
    tables, wide = serving.tables, _WIDE * n
    rows = serving.similar.find(like, wide, ItemFilter((lambda rows: eligible[rows],))).items
    texts = tables.space.text if tables.space is not None else None
    if texts is not None:
        vector = texts.of(np.asarray([like], np.int32))[0]
        every = np.flatnonzero(eligible)
        cosine = (np.asarray(texts.vectors, np.float32) @ vector)[texts.rows(every)]
        rows = np.union1d(rows, every[np.lexsort((every, -cosine))[:wide]])
    rows = np.unique(rows).astype(np.int32)
    parts = [] if texts is None else [_cosines(texts.of(rows), vector)]
    if tables.vectors is not None:
        parts.append(_cosines(np.asarray(tables.vectors[rows]), np.asarray(tables.vectors[like])))
    closeness = np.mean(parts, axis=0).astype(np.float32) if parts else np.zeros(len(rows), np.float32)
    head = np.sort(np.lexsort((rows, -closeness))[:n])
    return rows[head], closeness[head]


def _cosines(vectors: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) float32 cosines of (N, D) vectors to one of (D,); 0 where one of them is of length 0."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    return np.asarray((vectors @ vector) / np.maximum(lengths, 1e-9), np.float32)
