"""One vector per item, stored once per distinct content."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ContentVectors:
    """Vectors of I items over V distinct contents.

    Attributes:
        row: (I,) int32, position in `vectors`.
        vectors: (V, W) float32 or float16; row 0 is all zeros and stands for no content.
    """

    row: NDArray[np.int32]
    vectors: NDArray[Any]

    @property
    def width(self) -> int:
        """W, the width of the vectors."""
        return int(self.vectors.shape[1])

    def rows(self, items: NDArray[Any]) -> NDArray[np.int32]:
        """Positions in `vectors` of items, any shape; 0 for items without content or outside the table."""
        if len(self.row) == 0:
            return np.zeros(items.shape, np.int32)
        inside = (items >= 0) & (items < len(self.row))
        return np.where(inside, self.row[np.where(inside, items, 0)], 0).astype(np.int32)

    def of(self, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """(B, W) float32 vectors of B items; zeros for rows outside the table."""
        return np.asarray(self.vectors[self.rows(items)], np.float32)

    def save(self, directory: Path, name: str) -> None:
        """Write `{name}_row.npy` and `{name}_vectors.npy`."""
        np.save(directory / f"{name}_row.npy", self.row)
        np.save(directory / f"{name}_vectors.npy", self.vectors)

    @classmethod
    def load(cls, directory: Path, name: str) -> Self:
        """Read what `save` wrote; the vectors are mapped, not read, so unused ones take no memory."""
        vectors: Any = np.load(directory / f"{name}_vectors.npy", mmap_mode="r", allow_pickle=False)
        return cls(np.load(directory / f"{name}_row.npy", allow_pickle=False), vectors)
