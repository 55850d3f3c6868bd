"""Means over what happened before, for every event at once."""

import numpy as np
from numpy.typing import NDArray


class Earlier:
    """For each of N events, the events of the same group in seconds strictly before its own.

    Args:
        group: (N,) int, such as the user of each event.
        time: (N,) int64.
    """

    def __init__(self, group: NDArray[np.integer], time: NDArray[np.int64]) -> None:
        self.order = np.lexsort((time, group))
        sorted_group, sorted_time = np.asarray(group)[self.order], time[self.order]
        number = len(group)
        new_group = np.ones(number, np.bool_)
        new_group[1:] = sorted_group[1:] != sorted_group[:-1]
        new_second = new_group.copy()
        new_second[1:] |= sorted_time[1:] != sorted_time[:-1]
        places = np.arange(number)
        self.first = np.maximum.accumulate(np.where(new_group, places, 0))
        self.end = np.maximum.accumulate(np.where(new_second, places, 0))

    def _in_place(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        back = np.empty(len(values), np.float64)
        back[self.order] = values
        return back

    def count(self) -> NDArray[np.float64]:
        """(N,) how many there are."""
        return self._in_place(self.end - self.first)

    def total(self, values: NDArray[np.generic], last: int | None = None) -> NDArray[np.float64]:
        """(N,) sum of `values`, (N,), over them, or over the `last` of them only."""
        return self._in_place(self._window(np.asarray(values, np.float64), last)[0])

    def mean(
        self,
        values: NDArray[np.generic],
        prior: NDArray[np.floating] | float,
        strength: float,
        last: int | None = None,
    ) -> NDArray[np.float64]:
        """(N,) `(Σ values + strength × prior) / (number + strength)`; `prior` is one number or one for each event.

        Args:
            values: (N,).
            prior: the mean where there are none.
            strength: how many events the prior counts for.
            last: look at so many of the latest only.
        """
        total, number = self._window(np.asarray(values, np.float64), last)
        return (self._in_place(total) + strength * np.asarray(prior)) / (self._in_place(number) + strength)

    def latest(self, values: NDArray[np.generic], place: int, absent: float = np.nan) -> NDArray[np.float64]:
        """(N,) the value of the `place`-th latest of them, 1 being the latest."""
        at = self.end - place
        sorted_values = np.asarray(values, np.float64)[self.order]
        return self._in_place(np.where(at >= self.first, sorted_values[np.maximum(at, 0)], absent))

    def _window(self, values: NDArray[np.float64], last: int | None) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        start = self.first if last is None else np.maximum(self.first, self.end - last)
        sums = np.concatenate([[0.0], np.cumsum(values[self.order])])
        return sums[self.end] - sums[start], self.end - start
