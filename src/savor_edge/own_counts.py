"""A history as rows: one for each distinct item of a trip, and what they come to by item and by category."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from savor_edge.history import History

DAY = 86_400.0
PERIODS = 16


@dataclass(frozen=True)
class OwnCounts:
    """n rows in the order of the history. A trip is a basket, or a day where there are no baskets.

    Ages are days before `now`.

    Attributes:
        horizon: days that rebuying is measured over.
        item: (n,) number of the item.
        trip: (n,) number of the trip, rising.
        age: (n,) float64, not negative.
        paid: (n,) float64 what was paid; the quantity where that is not known.
        trip_age: (T,) float64 of each trip.
        own: (M,) distinct items, rising.
        position: (n,) of each row's item in `own`.
    """

    horizon: float
    item: NDArray[np.int64]
    trip: NDArray[np.int64]
    age: NDArray[np.float64]
    paid: NDArray[np.float64]
    trip_age: NDArray[np.float64]
    own: NDArray[np.int64]
    position: NDArray[np.int64]

    @classmethod
    def of(cls, history: History, now: int, horizon: float) -> "OwnCounts":
        """The rows of a history at `now` (UTC seconds)."""
        time, item = history.time.astype(np.int64), history.item.astype(np.int64)
        key = np.where(history.basket >= 0, history.basket, -2 - time // 86_400)
        begins = np.ones(len(time), np.bool_)
        begins[1:] = key[1:] != key[:-1]
        trip = np.cumsum(begins) - 1
        amount = np.where(np.isfinite(history.price), history.price, history.value).astype(np.float64)
        pair = trip * (int(item.max(initial=0)) + 1) + item
        _, first, row = np.unique(pair, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        first = first[order]
        own, position = np.unique(item[first], return_inverse=True)
        return cls(
            horizon,
            item[first],
            trip[first],
            np.maximum((now - time[first]) / DAY, 0.0),
            np.bincount(place[row], amount, minlength=len(first)).astype(np.float64),
            (now - time[begins]) / DAY,
            own,
            position,
        )

    @property
    def trips(self) -> int:
        """T."""
        return len(self.trip_age)

    @property
    def lately(self) -> int:
        """Trips of the last 90 days, at least 1."""
        return max(int((self.trip_age < 90).sum()), 1)

    @cached_property
    def decayed(self) -> NDArray[np.float64]:
        """(n,) weight of each row, which halves every 90 days."""
        return np.asarray(2.0 ** (-self.age / 90))

    @cached_property
    def log_paid(self) -> NDArray[np.float64]:
        """(n,) logarithm of what was paid."""
        return np.log(np.maximum(self.paid, 0.0) + 0.05)

    @cached_property
    def first(self) -> NDArray[np.bool_]:
        """(n,) whether the item was new to the person."""
        found = np.zeros(len(self.item), np.bool_)
        found[np.unique(self.position, return_index=True)[1]] = True
        return found

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """(M, 12) of each own item.

        Rows, rows younger than 7 and 14 days and in four spans of the horizon, decayed ones with three half-lives, rows
        younger than 90 days, and what was paid.
        """
        age, horizon = self.age, self.horizon
        columns = (
            np.ones(len(age)),
            age < 7,
            age < 14,
            age < horizon,
            (age >= horizon) & (age < 2 * horizon),
            (age >= 2 * horizon) & (age < 3 * horizon),
            (age >= 3 * horizon) & (age < 5 * horizon),
            2.0 ** (-age / 30),
            self.decayed,
            2.0 ** (-age / 250),
            age < 90,
            self.paid,
        )
        return np.stack([np.bincount(self.position, column, minlength=len(self.own)) for column in columns], axis=1)

    @cached_property
    def rhythm(self) -> NDArray[np.float64]:
        """(M, 7) of each own item.

        Age of the first and of the last row, sum of the squares of the gaps between rows, the last gap, the trips of
        the first and of the last row, and in how many spans of the horizon it was had.
        """
        found = np.zeros((len(self.own), 7))
        order = np.argsort(self.position, kind="stable")
        position, age, trip = self.position[order], self.age[order], self.trip[order]
        starts = np.ones(len(position), np.bool_)
        starts[1:] = position[1:] != position[:-1]
        ends = np.append(starts[1:], True)[: len(starts)]
        gap = np.zeros(len(position))
        gap[1:] = age[:-1] - age[1:]
        gap[starts] = 0
        period = np.minimum(age // self.horizon, PERIODS - 1).astype(np.int64)
        active = np.unique(position * PERIODS + period) // PERIODS
        found[:, 0], found[:, 1] = age[starts], age[ends]
        found[:, 2] = np.bincount(position, gap * gap, minlength=len(self.own))
        found[:, 3] = gap[ends]
        found[:, 4], found[:, 5] = trip[starts], trip[ends]
        found[:, 6] = np.bincount(active, minlength=len(self.own))
        return found

    def by_category(self, codes: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """What the rows come to by category.

        Args:
            codes: (M,) category of each own item.

        Returns:
            (G,) distinct categories, rising, and (G, 10) of each: trips, rows younger than 28 days, decayed rows, new
            items of the last 90 days, age of the first and of the last row, distinct items, rows, the sum of
            `log_paid`, rows younger than 90 days.
        """
        groups, of_own = np.unique(codes, return_inverse=True)
        group, number = of_own[self.position], len(groups)
        found = np.zeros((number, 10))
        visits = np.unique(group * (self.trips + 1) + self.trip) // (self.trips + 1)
        found[:, 0] = np.bincount(visits, minlength=number)
        last = len(group) - 1 - np.unique(group[::-1], return_index=True)[1]
        found[:, 4], found[:, 5] = self.age[np.unique(group, return_index=True)[1]], self.age[last]
        found[:, 6] = np.bincount(of_own, minlength=number)
        columns = {
            1: self.age < 28,
            2: self.decayed,
            3: self.first & (self.age < 90),
            7: np.ones(len(group)),
            8: self.log_paid,
            9: self.age < 90,
        }
        for column, values in columns.items():
            found[:, column] = np.bincount(group, values, minlength=number)
        return groups, found
