"""Arrays that rows are added to."""

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)
_LEAST = 1024
_SHARE = 8


class Growing(Generic[Number]):
    """Rows with room for more behind them, so that adding some copies the others only now and then.

    Views given out before keep their length: what comes later is not seen through them.

    Args:
        rows: (R, …).
        own: whether `rows` themselves may be written to; otherwise they are copied before anything is.
    """

    def __init__(self, rows: NDArray[Number], *, own: bool = False) -> None:
        self._room, self._used, self._own = rows, len(rows), own

    @property
    def rows(self) -> NDArray[Number]:
        """(R, …) a view of all rows up to now."""
        return self._room[: self._used]

    def grow(self, rows: int, fill: float = 0) -> NDArray[Number]:
        """At least `rows` rows, those added being `fill`, in memory that may be written to."""
        if rows > len(self._room) or not self._own:
            size = rows + max(_LEAST, rows // _SHARE) if rows > self._used else self._used
            room = np.empty((size, *self._room.shape[1:]), self._room.dtype)
            room[: self._used] = self.rows
            self._room, self._own = room, True
        if rows > self._used:
            self._room[self._used : rows] = fill
            self._used = rows
        return self.rows
