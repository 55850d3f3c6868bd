"""The ranker's features: a user's history crossed with candidates, one vectorised function for training and serving."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError
from savor.data.histories import History
from savor.features.item_statistics import KEY_FEATURES, LEVEL_FEATURES, ItemStatistics

OWN_FEATURES = (
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
LEVEL_OWN_FEATURES = (
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
USER_FEATURES = (
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


@dataclass(frozen=True)
class CrossFeatures:
    """Computes the (N, F) matrix that the ranker scores.

    Times are days before `now`. "own" columns speak of the user and the candidate itself, "LEVEL.own" of the user and
    the candidate's category, "user" of the user alone, "item" and "LEVEL.item" of the candidate for everybody, and the
    last ones are what the sources said.

    Attributes:
        statistics: what is known of the items, at most as late as the moments that are asked about.
        source_columns: names of the source features, in the order of `compute`'s `sources`.
    """

    statistics: ItemStatistics
    source_columns: Sequence[str] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """F names, in the order of the columns."""
        names = [f"own.{name}" for name in OWN_FEATURES]
        for level in self.statistics.levels:
            names += [f"{level}.own.{name}" for name in LEVEL_OWN_FEATURES]
        names += [f"user.{name}" for name in USER_FEATURES]
        names += [f"item.{name}" for name in KEY_FEATURES]
        names += ["item.log_price", "item.log_price_less_usual"]
        for level in self.statistics.levels:
            names += [f"{level}.item.{name}" for name in LEVEL_FEATURES]
            names += [f"{level}.item.share", f"{level}.item.relative_price"]
        return (*names, *self.source_columns)

    def compute(
        self, history: History, items: NDArray[np.int32], sources: NDArray[np.float32], now: int
    ) -> NDArray[np.float32]:
        """Cross one user's history with N candidates.

        Args:
            history: events before `now`, oldest first; may be empty.
            items: (N,) rows of the catalogue.
            sources: (N, len(source_columns)) float32, NaN where a source did not return the item.
            now: UTC seconds.

        Returns:
            (N, F) float32, NaN where a feature has no value.

        Raises:
            ValueError: an item is not in the statistics.
            MissingDependencyError: Numba is not installed.
        """
        from savor.features.cross_kernel import cross_features

        for rows in (items, history.item):
            if len(rows) and (rows.min() < 0 or rows.max() >= len(self.statistics.log_price)):
                raise ValueError(
                    f"there are item rows that the statistics do not cover: {len(self.statistics.log_price)}"
                )
        return np.asarray(
            cross_features(
                np.ascontiguousarray(history.item, np.int32),
                np.ascontiguousarray(history.time, np.int64),
                np.ascontiguousarray(history.value, np.float32),
                np.ascontiguousarray(history.price, np.float32),
                np.ascontiguousarray(history.basket, np.int64),
                np.ascontiguousarray(items, np.int32),
                np.ascontiguousarray(sources, np.float32),
                now,
                float(self.statistics.horizon_days),
                *self._tables,
            )
        )

    @cached_property
    def _tables(self) -> tuple[Any, ...]:
        """What is known of the items, as the compiled function wants it: the levels one above the other."""
        statistics = self.statistics
        levels = list(statistics.levels.values())
        number = len(statistics.log_price)
        codes = np.zeros((len(levels), number), np.int32)
        share, relative_price = np.zeros((2, len(levels), number), np.float32)
        for position, level in enumerate(levels):
            codes[position], share[position], relative_price[position] = (
                level.codes,
                level.item_share,
                level.relative_price,
            )
        sizes = [0, *(len(level.table) for level in levels)]
        if any(len(level.codes) and level.codes.max() >= len(level.table) for level in levels):
            raise BundleError("the item statistics do not cover every category of the catalogue; train again")
        return (
            np.ascontiguousarray(statistics.item, np.float32),
            KEY_FEATURES.index("gap"),
            np.ascontiguousarray(statistics.log_price, np.float32),
            codes,
            np.cumsum(sizes)[: len(levels)].astype(np.int64),
            np.concatenate([np.zeros((0, len(LEVEL_FEATURES)), np.float32), *(level.table for level in levels)]),
            share,
            relative_price,
        )
