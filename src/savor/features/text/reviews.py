"""What was written about items, as one vector per item."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from savor.features.text.vectors import TextVectors

if TYPE_CHECKING:
    from savor.data.event_texts import EventTexts


def review_vectors(
    texts: "EventTexts", number_of_items: int, until: int, encode: Callable[[Sequence[str]], NDArray[np.float32]]
) -> TextVectors | None:
    """The mean vector of each item's reviews written strictly before `until` (UTC seconds); None where there is none.

    Items without a review have the zero vector.
    """
    known = [
        row for row, review in enumerate(texts.review) if review and texts.item[row] >= 0 and texts.time[row] < until
    ]
    if not known:
        return None
    listed = [str(texts.review[row]) for row in known]
    distinct = sorted(set(listed))
    position = {text: number for number, text in enumerate(distinct)}
    encoded = encode(distinct)
    items, place, count = np.unique(texts.item[known], return_inverse=True, return_counts=True)
    vectors = np.zeros((1 + len(items), encoded.shape[1]), np.float32)
    np.add.at(vectors, 1 + place, encoded[[position[text] for text in listed]])
    vectors[1:] /= count[:, None].astype(np.float32)
    row = np.zeros(number_of_items, np.int32)
    row[items] = np.arange(1, 1 + len(items))
    return TextVectors(row, vectors)
