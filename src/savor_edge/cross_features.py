"""The ranker's features: a person's history crossed with candidates, in NumPy; the same numbers as on the server."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor_edge.history import History
from savor_edge.item_tables import ItemTables, Level
from savor_edge.own_counts import PERIODS, OwnCounts

OWN = (
    "count",
    "count_7d",
    "count_14d",
    "count_horizon",
    "count_horizon_2",
    "count_horizon_3",
    "count_horizon_4",
    "decayed_30d",
    "decayed_90d",
    "decayed_250d",
    "days_since",
    "days_since_first",
    "gap",
    "overdue",
    "gap_deviation",
    "last_gap",
    "overdue_last",
    "trips_since",
    "trip_rate",
    "trip_rate_90d",
    "overdue_trips",
    "mean_value",
    "rate",
    "period_share",
)
LEVEL_OWN = (
    "trips",
    "count_28d",
    "decayed_90d",
    "days_since",
    "gap",
    "overdue",
    "distinct_items",
    "novelty",
    "share",
    "item_share",
    "price_difference",
    "trip_rate_90d",
)
USER = (
    "trips",
    "trips_28d",
    "trips_90d",
    "items_per_trip",
    "days_since",
    "gap",
    "distinct_items",
    "novelty",
    "count_horizon",
    "mean_log_value",
    "days_since_first",
)
_UNKNOWN_OWN = slice(OWN.index("days_since"), OWN.index("trips_since") + 1)
_UNKNOWN_LEVEL = [LEVEL_OWN.index(name) for name in ("days_since", "gap", "overdue", "price_difference")]
_UNKNOWN_USER = [USER.index(name) for name in ("days_since", "gap", "mean_log_value", "days_since_first")]
_PERSONAL = OWN.index("days_since")


@dataclass(frozen=True)
class CrossFeatures:
    """Computes the rows that the ranker scores.

    Attributes:
        tables: what is known of the items.
        source_columns: names of what retrieval says of a candidate.
    """

    tables: ItemTables
    source_columns: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """F names, in the order of the columns."""
        levels = [level.name for level in self.tables.levels]
        names = [f"own.{name}" for name in OWN]
        names += [f"{level}.own.{name}" for level in levels for name in LEVEL_OWN]
        names += [f"user.{name}" for name in USER]
        names += [f"item.{name}" for name in (*self.tables.columns, "log_price", "log_price_less_usual")]
        for level in levels:
            names += [f"{level}.item.{name}" for name in (*self.tables.level_columns, "share", "relative_price")]
        return (*names, *self.source_columns)

    def compute(
        self, history: History, rows: NDArray[np.int32], sources: NDArray[np.float32], now: int
    ) -> NDArray[np.float32]:
        """Cross one person's history with N candidates.

        Args:
            history: as of `now`.
            rows: (N,) of the catalogue.
            sources: (N, len(source_columns)) float32, NaN where nothing is said.
            now: UTC seconds.

        Returns:
            (N, F) float32, NaN where a feature has no value.
        """
        tables = self.tables
        own = OwnCounts.of(history, now, float(tables.horizon_days))
        items = tables.items[rows].astype(np.float32)
        wide = len(tables.columns)
        known, position = _found(own.own, rows)
        user = self._user(own)
        usual = items[:, tables.columns.index("gap")].astype(np.float64)
        personal = self._own(own, known, position, usual)
        log_price = items[:, wide]
        parts = [personal]
        decayed = np.where(known, own.sums[position, 8] if len(own.own) else 0.0, 0.0)
        parts += [self._level(level, own, rows, log_price, decayed) for level in tables.levels]
        parts += [np.broadcast_to(user, (len(rows), len(user))), items[:, : wide + 1], (log_price - user[9])[:, None]]
        for number, level in enumerate(tables.levels):
            first = wide + 1 + 2 * number
            parts += [level.table[level.codes[rows]].astype(np.float32), items[:, first : first + 2]]
        return np.concatenate([*parts, sources], axis=1, dtype=np.float32)

    @staticmethod
    def _user(own: OwnCounts) -> NDArray[np.float32]:
        """(11,) of the person alone."""
        user = np.zeros(len(USER), np.float32)
        if not own.trips:
            user[_UNKNOWN_USER] = np.nan
            return user
        age, recent = own.trip_age, own.age < own.horizon
        user[:] = (
            own.trips,
            (age < 28).sum(),
            (age < 90).sum(),
            len(own.item) / own.trips,
            age[-1],
            (age[0] - age[-1]) / max(own.trips - 1, 1),
            len(own.own),
            (own.first & recent).sum() / max(recent.sum(), 1),
            recent.sum(),
            own.log_paid.sum() / len(own.item),
            age[0],
        )
        return user

    @staticmethod
    def _own(
        own: OwnCounts, known: NDArray[np.bool_], position: NDArray[np.intp], usual: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """(N, 24) of the person and each candidate itself."""
        found = np.zeros((len(known), len(OWN)), np.float32)
        found[:, _UNKNOWN_OWN] = np.nan
        if not known.any():
            return found
        one, usual = own.sums[position[known]], usual[known]
        start, end, squares, last_gap, first_trip, last_trip, periods = own.rhythm[position[known]].T
        count, gaps = one[:, 0], np.maximum(one[:, 0] - 1, 1.0)
        mean_gap = np.where(count > 1, (start - end) / gaps, 0.0)
        expected = np.maximum((mean_gap * (count - 1) + usual) / count, 0.1)
        since, rate = own.trips - 1 - last_trip, count / np.maximum(own.trips - first_trip, 1)
        columns = (
            end,
            start,
            expected,
            end / expected,
            np.sqrt(np.maximum(squares / gaps - mean_gap * mean_gap, 0.0)),
            last_gap,
            end / np.maximum(last_gap, 1.0),
            since,
            rate,
            one[:, 10] / own.lately,
            since * rate,
            one[:, 11] / count,
            (count - 1) / (start + 30),
            periods / (np.minimum(start // own.horizon, PERIODS - 1) + 1),
        )
        found[known, :_PERSONAL] = one[:, :_PERSONAL]
        found[known, _PERSONAL:] = np.stack(columns, axis=1)
        return found

    @staticmethod
    def _level(
        level: Level,
        own: OwnCounts,
        rows: NDArray[np.int32],
        log_price: NDArray[np.float32],
        decayed: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        """(N, 12) of the person and the category of each candidate; `decayed` is theirs of the candidate itself."""
        found = np.zeros((len(rows), len(LEVEL_OWN)), np.float32)
        found[:, _UNKNOWN_LEVEL] = np.nan
        groups, sums = own.by_category(level.codes[own.own])
        known, position = _found(groups, level.codes[rows])
        if not known.any():
            return found
        trips, recent, weight, new, first, last, items, count, log_paid, lately = sums[position[known]].T
        gap = (first - last + 30) / np.maximum(trips, 1.0)
        columns = (
            trips,
            recent,
            weight,
            last,
            gap,
            last / gap,
            items,
            new / (lately + 1),
            weight / max(float(own.decayed.sum()), 1e-6),
            decayed[known] / np.maximum(weight, 1e-6),
            log_price[known] - (log_paid / np.maximum(count, 1.0)).astype(np.float32),
            lately / own.lately,
        )
        found[known] = np.stack(columns, axis=1)
        return found


def _found(sorted_values: NDArray[Any], wanted: NDArray[np.int32]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Which of N wanted numbers stand among rising ones, and where (0 where they do not)."""
    if not len(sorted_values):
        return np.zeros(len(wanted), np.bool_), np.zeros(len(wanted), np.intp)
    place = np.minimum(np.searchsorted(sorted_values, wanted), len(sorted_values) - 1)
    known = sorted_values[place] == wanted
    return known, np.where(known, place, 0)
