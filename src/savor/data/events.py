"""Events as columns."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import DataError


@dataclass(frozen=True)
class Events:
    """N events as parallel arrays, in time order (ties in the order of the source).

    Attributes:
        user: (N,) int32, row of the user table.
        item: (N,) int32, row of the item table.
        time: (N,) int64, UTC seconds since the epoch.
        kind: (N,) uint8, position in `Dataset.kinds`.
        value: (N,) float32, quantity or rating; 1 where the source has none.
        price: (N,) float32, money paid for the line; NaN where the source has none.
        basket: (N,) int64, number of the basket or session; -1 where the source has none.
        split: (N,) uint8, one of `splits.TRAIN`, `VALIDATION`, `TEST`.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time: NDArray[np.int64]
    kind: NDArray[np.uint8]
    value: NDArray[np.float32]
    price: NDArray[np.float32]
    basket: NDArray[np.int64]
    split: NDArray[np.uint8]

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) > 1:
            raise DataError(f"event columns must have one length, got {lengths}")

    def __len__(self) -> int:
        return len(self.user)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "Events":
        """The events at `rows` (a mask, positions or a slice), in the same order."""
        return Events(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})
