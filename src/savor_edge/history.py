"""What one person did, as the arrays that inputs are made of."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NOWHERE = -1


class Deed(NamedTuple):
    """One event about an item that the catalogue knows.

    Attributes:
        item: number of the item; those from the number of recommendable items on count in histories only.
        time: UTC seconds.
        basket: number of the basket or session that the event names, `NOWHERE` for none.
        seen: whether the item counts as one that the person had.
        own: whether it counts as one that they take again.
        kind: number of the kind of event among those that the model was trained on, `NOWHERE` for another.
        value: quantity.
        price: what was paid, NaN where that is not known.
    """

    item: int
    time: int
    basket: int
    seen: bool
    own: bool
    kind: int
    value: float
    price: float


class History(NamedTuple):
    """n events, oldest first; those of one second in the order they were recorded.

    Attributes:
        item: (n,) int32.  time: (n,) int64 UTC seconds.  basket: (n,) int64.  seen, own: (n,) bool.
        kind: (n,) int16.  value, price: (n,) float32. See `Deed`.
    """

    item: NDArray[np.int32]
    time: NDArray[np.int64]
    basket: NDArray[np.int64]
    seen: NDArray[np.bool_]
    own: NDArray[np.bool_]
    kind: NDArray[np.int16]
    value: NDArray[np.float32]
    price: NDArray[np.float32]

    @classmethod
    def of(cls, deeds: Iterable[Deed]) -> "History":
        """Put in order what is given as recorded."""
        columns = list(zip(*deeds, strict=True)) or [()] * len(cls._fields)
        time = np.asarray(columns[1], np.int64)
        order = np.argsort(time, kind="stable")
        return cls(
            np.asarray(columns[0], np.int32)[order],
            time[order],
            np.asarray(columns[2], np.int64)[order],
            np.asarray(columns[3], np.bool_)[order],
            np.asarray(columns[4], np.bool_)[order],
            np.asarray(columns[5], np.int16)[order],
            np.asarray(columns[6], np.float32)[order],
            np.asarray(columns[7], np.float32)[order],
        )

    def at(self, now: int) -> "History":
        """The same at the moment `now` (UTC seconds): what is dated later counts as of then."""
        return self._replace(time=np.minimum(self.time, now)) if len(self.time) and self.time[-1] > now else self

    def __bool__(self) -> bool:
        return len(self.item) > 0
