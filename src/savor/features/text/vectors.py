"""One text vector per item, stored once per distinct text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from savor.data.dataset import Dataset


@dataclass(frozen=True)
class TextVectors:
    """Vectors of I items over V distinct texts.

    Attributes:
        row: (I,) int32, position in `vectors`.
        vectors: (V, W) float32; row 0 is all zeros and stands for no text.
    """

    row: NDArray[np.int32]
    vectors: NDArray[np.float32]

    @classmethod
    def encode(cls, texts: Sequence[str], encode: Callable[[Sequence[str]], NDArray[np.float32]]) -> "TextVectors":
        """Encode I texts, each distinct one once; "" becomes the zero vector."""
        distinct = sorted({text for text in texts if text})
        position = {"": 0, **{text: number for number, text in enumerate(distinct, start=1)}}
        encoded = encode(distinct)
        vectors = np.zeros((1 + len(distinct), encoded.shape[1]), np.float32)
        vectors[1:] = encoded
        return cls(np.asarray([position[text] for text in texts], np.int32), vectors)

    @property
    def width(self) -> int:
        """W, the width of the vectors."""
        return int(self.vectors.shape[1])

    def of(self, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """(B, W) float32 vectors of B items; zeros for rows outside the table."""
        inside = (items >= 0) & (items < len(self.row))
        return np.asarray(self.vectors[np.where(inside, self.row[np.where(inside, items, 0)], 0)])

    def save(self, directory: Path) -> None:
        """Write `text_row.npy` and `text_vectors.npy`."""
        np.save(directory / "text_row.npy", self.row)
        np.save(directory / "text_vectors.npy", self.vectors)

    @classmethod
    def load(cls, directory: Path) -> "TextVectors":
        """Read what `save` wrote; the vectors are mapped, not read, so unused ones take no memory."""
        vectors: Any = np.load(directory / "text_vectors.npy", mmap_mode="r", allow_pickle=False)
        return cls(np.load(directory / "text_row.npy", allow_pickle=False), vectors)


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
