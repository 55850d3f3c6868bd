"""One text vector per item, stored once per distinct text."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from savor.features.content_vectors import ContentVectors

if TYPE_CHECKING:
    from savor.data.dataset import Dataset


class TextVectors(ContentVectors):
    """Text vectors of I items: (V, 384) float32, each but the first of length 1."""

    @classmethod
    def encode(cls, texts: Sequence[str], encode: Callable[[Sequence[str]], NDArray[np.float32]]) -> "TextVectors":
        """Encode I texts, each distinct one once; "" becomes the zero vector."""
        distinct = sorted({text for text in texts if text})
        position = {"": 0, **{text: number for number, text in enumerate(distinct, start=1)}}
        encoded = encode(distinct)
        vectors = np.zeros((1 + len(distinct), encoded.shape[1]), np.float32)
        vectors[1:] = encoded
        return cls(np.asarray([position[text] for text in texts], np.int32), vectors)


def item_texts(dataset: "Dataset") -> list[str]:
    """One text per item: its text columns that are not empty, joined by ", "; all "" where none are declared.

    The values of a column that is also multi-valued are joined by spaces.
    """
    schema = dataset.schema.items
    if schema is None or not schema.text:
        return [""] * len(dataset.items)
    columns = [
        [" ".join(cell) if isinstance(cell, list) else cell for cell in dataset.items.column(name).to_pylist()]
        for name in schema.text
    ]
    return [", ".join(value for value in row if value) for row in zip(*columns, strict=True)]
