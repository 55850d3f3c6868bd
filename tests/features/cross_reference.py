"""The ranker's features once more, written with NumPy column by column: what the compiled function is held against."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import History
from savor.features.cross import LEVEL_OWN_FEATURES, OWN_FEATURES, USER_FEATURES
from savor.features.item_statistics import KEY_FEATURES, ItemStatistics
from savor.features.trips import trip_keys

DAY = 86_400.0
_PERIODS = 16
_OWN_UNKNOWN = tuple(
    OWN_FEATURES.index(name)
    for name in (
        "days_since",
        "days_since_first",
        "gap",
        "overdue",
        "gap_deviation",
        "last_gap",
        "overdue_last",
        "trips_since",
    )
)
_LEVEL_UNKNOWN = tuple(LEVEL_OWN_FEATURES.index(name) for name in ("days_since", "gap", "overdue", "price_difference"))


@dataclass(frozen=True)
class CrossReference:
    """As `CrossFeatures`."""

    statistics: ItemStatistics

    def compute(
        self, history: History, items: NDArray[np.int32], sources: NDArray[np.float32], now: int
    ) -> NDArray[np.float32]:
        visits = _Visits.of(history, now)
        own_table, own_row, decayed = self._own(visits, items)
        user = self._user(visits)
        blocks = [
            own_table[own_row],
            *(
                self._own_level(visits, level.codes, items, own_row, decayed)
                for level in self.statistics.levels.values()
            ),
            np.broadcast_to(user, (len(items), len(user))),
            *self._item_blocks(items, float(user[USER_FEATURES.index("mean_log_value")])),
            sources,
        ]
        return np.concatenate(blocks, axis=1, dtype=np.float32)

    def _own(
        self, visits: "_Visits", items: NDArray[np.int32]
    ) -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.float64]]:
        """Table of the user's K distinct items with a last row for "never", each candidate's row, decayed counts."""
        horizon = self.statistics.horizon_days
        age, trip, code = visits.age, visits.trip, visits.item_code
        known = visits.items
        number = len(known)

        def total(weights: NDArray[np.float64] | NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
            sums = np.zeros(number + 1)
            sums[:number] = np.bincount(code, weights=weights, minlength=number)
            return sums

        row = np.searchsorted(known, items)
        row[row == number] = 0
        row = np.where(known[row] == items, row, number) if number else np.full(len(items), number)

        count = total()
        first, last = visits.ends(code, number)
        first_age, last_age = visits.at(age, first), visits.at(age, last)
        order = np.argsort(code, kind="stable")
        sorted_code, sorted_age = code[order], age[order]
        same = sorted_code[1:] == sorted_code[:-1]
        gap, gap_code = (sorted_age[:-1] - sorted_age[1:])[same], sorted_code[1:][same]
        gaps = np.maximum(count - 1, 1)
        mean_gap = np.where(count > 1, (first_age - last_age) / gaps, 0.0)
        squares = np.zeros(number + 1)
        squares[:number] = np.bincount(gap_code, weights=gap * gap, minlength=number)
        deviation = np.sqrt(np.maximum(squares / gaps - mean_gap * mean_gap, 0.0))
        last_gap = np.zeros(number + 1)
        last_gap[gap_code] = gap
        usual = np.ones(number + 1)
        usual[:number] = self.statistics.item[known, KEY_FEATURES.index("gap")]
        expected_gap = np.maximum((mean_gap * (count - 1) + usual) / np.maximum(count, 1), 0.1)
        period = np.minimum(age // horizon, _PERIODS - 1).astype(np.intp)
        active = np.zeros((number + 1, _PERIODS), np.bool_)
        active[code, period] = True
        trips_since = visits.trips - 1 - visits.at(trip, last)
        trip_rate = count / np.maximum(visits.trips - visits.at(trip, first), 1)
        decayed = total(visits.decayed_90d)

        columns = (
            count,
            total(age < 7),
            total(age < 14),
            total(age < horizon),
            total((age >= horizon) & (age < 2 * horizon)),
            total((age >= 2 * horizon) & (age < 3 * horizon)),
            total((age >= 3 * horizon) & (age < 5 * horizon)),
            total(np.exp2(-age / 30)),
            decayed,
            total(np.exp2(-age / 250)),
            last_age,
            first_age,
            expected_gap,
            last_age / expected_gap,
            deviation,
            last_gap,
            last_age / np.maximum(last_gap, 1),
            trips_since,
            trip_rate,
            total(age < 90) / visits.trips_90d,
            trips_since * trip_rate,
            total(visits.value) / np.maximum(count, 1),
            (count - 1) / (first_age + 30),
            active.sum(axis=1) / (np.minimum(first_age // horizon, _PERIODS - 1) + 1),
        )
        table = np.stack(columns, axis=1).astype(np.float32)
        table[number] = 0
        table[number, _OWN_UNKNOWN] = np.nan
        return table, row, decayed

    def _own_level(
        self,
        visits: "_Visits",
        codes: NDArray[np.int32],
        items: NDArray[np.int32],
        own_row: NDArray[np.intp],
        own_decayed: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        """(N, len(LEVEL_OWN_FEATURES)): the user and the category of each candidate."""
        age = visits.age
        known, code = np.unique(codes[visits.items][visits.item_code], return_inverse=True)
        number = len(known)
        wanted = codes[items]
        row = np.searchsorted(known, wanted)
        row[row == number] = 0
        row = np.where(known[row] == wanted, row, number) if number else np.full(len(items), number)

        def total(weights: NDArray[np.float64] | NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
            sums = np.zeros(number + 1)
            sums[:number] = np.bincount(code, weights=weights, minlength=number)
            return sums

        count = total()
        first, last = visits.ends(code, number)
        last_age = visits.at(age, last)
        in_trip = np.unique(code.astype(np.int64) * max(visits.trips, 1) + visits.trip) // max(visits.trips, 1)
        trips = np.zeros(number + 1)
        trips[:number] = np.bincount(in_trip, minlength=number)
        distinct = np.zeros(number + 1)
        distinct[:number] = np.bincount(np.searchsorted(known, codes[visits.items]), minlength=number)
        gap = (visits.at(age, first) - last_age + 30) / np.maximum(trips, 1)
        count_90d = total(age < 90)
        decayed = total(visits.decayed_90d)
        columns = (
            trips,
            total(age < 28),
            decayed,
            last_age,
            gap,
            last_age / gap,
            distinct,
            total(visits.is_first & (age < 90)) / (count_90d + 1),
            decayed / max(float(visits.decayed_90d.sum()), 1e-6),
            np.zeros(number + 1),
            total(visits.log_value) / np.maximum(count, 1),
            count_90d / visits.trips_90d,
        )
        table = np.stack(columns, axis=1).astype(np.float32)
        table[number] = 0
        table[number, _LEVEL_UNKNOWN] = np.nan
        block: NDArray[np.float32] = table[row]
        share, price = LEVEL_OWN_FEATURES.index("item_share"), LEVEL_OWN_FEATURES.index("price_difference")
        block[:, share] = own_decayed[own_row] / np.maximum(decayed[row], 1e-6)
        block[:, price] = self.statistics.log_price[items] - block[:, price]
        return block

    def _user(self, visits: "_Visits") -> NDArray[np.float32]:
        """(len(USER_FEATURES),): the user alone."""
        if not visits.trips:
            return np.array([0, 0, 0, 0, np.nan, np.nan, 0, 0, 0, np.nan, np.nan], np.float32)
        recent = visits.age < self.statistics.horizon_days
        trip_age = visits.trip_age
        return np.array(
            [
                visits.trips,
                (trip_age < 28).sum(),
                (trip_age < 90).sum(),
                len(visits.age) / visits.trips,
                trip_age[-1],
                (trip_age[0] - trip_age[-1]) / max(visits.trips - 1, 1),
                len(visits.items),
                (visits.is_first & recent).sum() / max(int(recent.sum()), 1),
                recent.sum(),
                visits.log_value.mean(),
                trip_age[0],
            ],
            np.float32,
        )

    def _item_blocks(self, items: NDArray[np.int32], mean_log_value: float) -> list[NDArray[np.float32]]:
        """The candidates for everybody: statistics of the item and of its categories."""
        statistics = self.statistics
        log_price = statistics.log_price[items]
        blocks = [statistics.item[items], log_price[:, None], (log_price - np.float32(mean_log_value))[:, None]]
        for level in statistics.levels.values():
            blocks += [
                level.table[level.codes[items]],
                level.item_share[items][:, None],
                level.relative_price[items][:, None],
            ]
        return blocks


@dataclass(frozen=True)
class _Visits:
    """A history with one row per distinct (trip, item), oldest first, seen from a moment.

    Attributes:
        items: (K,) distinct items, ascending.  item_code: (n,) position in `items`.
        age: (n,) days.  trip: (n,) number of the trip from 0.  value, log_value, decayed_90d: (n,).
        is_first: (n,) whether it is the user's first choice of the item.
        trip_age: (trips,) days.  trips: number of trips.  trips_90d: of them in 90 days, at least 1.
    """

    items: NDArray[np.int32]
    item_code: NDArray[np.intp]
    age: NDArray[np.float64]
    trip: NDArray[np.int64]
    value: NDArray[np.float64]
    log_value: NDArray[np.float64]
    decayed_90d: NDArray[np.float64]
    is_first: NDArray[np.bool_]
    trip_age: NDArray[np.float64]
    trips: int
    trips_90d: int

    @classmethod
    def of(cls, history: History, now: int) -> "_Visits":
        key = trip_keys(history.basket, history.time)
        started = np.ones(len(key), np.bool_)
        started[1:] = key[1:] != key[:-1]
        trip: NDArray[np.int64] = np.cumsum(started, dtype=np.int64) - 1
        trip_age = (now - history.time[started]) / DAY
        items, code = np.unique(history.item, return_inverse=True)
        paid: NDArray[np.float64] = np.where(np.isfinite(history.price), history.price, history.value).astype(
            np.float64
        )
        pair = code.astype(np.int64) * (len(trip_age) + 1) + trip
        time = history.time
        _, kept, group = np.unique(pair, return_index=True, return_inverse=True)
        if len(kept) < len(pair):
            order = np.argsort(kept)
            keep = kept[order]
            code, trip, time, paid = (
                code[keep],
                trip[keep],
                time[keep],
                np.bincount(group, weights=paid)[order].astype(np.float64),
            )
        age = np.maximum((now - time) / DAY, 0.0)
        is_first = np.zeros(len(age), np.bool_)
        is_first[np.unique(code, return_index=True)[1]] = True
        return cls(
            items,
            code,
            age,
            trip,
            paid,
            np.log(np.maximum(paid, 0) + 0.05),
            np.exp2(-age / 90),
            is_first,
            trip_age,
            len(trip_age),
            max(int((trip_age < 90).sum()), 1),
        )

    def ends(self, code: NDArray[np.intp], number: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """(number + 1,) positions of each code's first and last row; the last entry is 0."""
        first, last = np.zeros(number + 1, np.intp), np.zeros(number + 1, np.intp)
        rows = np.arange(len(code), dtype=np.intp)
        first[code[::-1]] = rows[::-1]
        last[code] = rows
        return first, last

    @staticmethod
    def at(column: NDArray[np.float64] | NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """`column[rows]`, and zeros where the history is empty."""
        return column[rows].astype(np.float64) if len(column) else np.zeros(len(rows))
