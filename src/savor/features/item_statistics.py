"""What is known at a moment of every item, and of every category: sales, trend, how often people come back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.core.errors import BundleError, ConfigError
from savor.data.events import Events
from savor.features.catalogue import Catalogue
from savor.features.columns import extended
from savor.features.trips import trip_keys

DAY = 86_400
_UNKNOWN = 999.0
_PRIOR = 5.0

KEY_FEATURES = (
    "buyers",
    "trips_7d",
    "trips_28d",
    "trips_90d",
    "buyers_horizon",
    "trend_28d",
    "trend_7d",
    "trend_90d",
    "repeat_share",
    "trips_per_buyer",
    "rebuy_rate",
    "gap",
    "first_buyers_28d",
    "first_buyer_share",
    "age",
    "days_since",
)
LEVEL_FEATURES = ("trips_28d", "trend_28d", "repeat_share", "rebuy_rate", "gap", "first_buyer_share")


@dataclass(frozen=True)
class LevelStatistics:
    """One level of the category hierarchy with C categories, as of a moment.

    Attributes:
        codes: (I,) int32, the category of each item; 0 where unknown.
        table: (C, len(LEVEL_FEATURES)) float32.
        item_share: (I,) float32, the item's share of its category's trips in the last 90 days.
        relative_price: (I,) float32, log price less the mean of what is sold in the category.
    """

    codes: NDArray[np.int32]
    table: NDArray[np.float32]
    item_share: NDArray[np.float32]
    relative_price: NDArray[np.float32]


@dataclass(frozen=True)
class ItemStatistics:
    """I items and the levels above them, as of `now`; nothing later enters.

    A trip is a basket, or a user's day where there are no baskets. Counts of trips are distinct by user, key and trip.

    Attributes:
        now: UTC seconds.
        horizon_days: length of the window that rebuying is measured over.
        item: (I, len(KEY_FEATURES)) float32.
        log_price: (I,) float32, log(price + 0.05); the mean over the catalogue where unknown.
        levels: by category column.
    """

    now: int
    horizon_days: int
    item: NDArray[np.float32]
    log_price: NDArray[np.float32]
    levels: dict[str, LevelStatistics]

    @classmethod
    def from_events(
        cls, events: Events, catalogue: Catalogue, now: int, horizon_days: int, levels: Sequence[str] = ()
    ) -> "ItemStatistics":
        """Compute everything from the events before `now` (later ones are ignored).

        Args:
            events: in time order.
            catalogue: gives categories and prices.
            now: UTC seconds.
            horizon_days: length of the window that rebuying is measured over.
            levels: category columns to cover; none: all.

        Raises:
            ConfigError: the catalogue has no such category column.
        """
        if unknown := [name for name in levels if name not in catalogue.categories]:
            raise ConfigError(
                [f"ranking.levels: {unknown} are not item categories; there are {[*catalogue.categories]}"]
            )
        known = events.time < now
        user, item, time = events.user[known], events.item[known], events.time[known]
        trip = trip_keys(events.basket[known], time)
        table, recent = _by_key(user, item, trip, time, len(catalogue), now, horizon_days)
        price = catalogue.price
        mean_price = float(np.nanmean(price)) if np.isfinite(price).any() else 1.0
        log_price = np.log(np.where(np.isfinite(price), np.maximum(price, 0), mean_price) + 0.05).astype(np.float32)
        covered = {}
        for name in levels or catalogue.categories:
            column = catalogue.categories[name]
            number = len(column.values)
            level_table, _ = _by_key(user, column.codes[item], trip, time, number, now, horizon_days)
            keep = [KEY_FEATURES.index(feature) for feature in LEVEL_FEATURES]
            total = np.bincount(column.codes, weights=recent, minlength=number)
            sold = np.maximum(np.bincount(column.codes[item], minlength=number), 1)
            mean = np.bincount(column.codes[item], weights=log_price[item], minlength=number) / sold
            covered[name] = LevelStatistics(
                column.codes,
                np.ascontiguousarray(level_table[:, keep]),
                (recent / np.maximum(total, 1e-3)[column.codes]).astype(np.float32),
                (log_price - mean[column.codes]).astype(np.float32),
            )
        return cls(now, horizon_days, table, log_price, covered)

    def with_items(self, catalogue: Catalogue, changed: NDArray[np.int32]) -> "ItemStatistics":
        """The same over a longer catalogue.

        Args:
            catalogue: items at its end, which nobody has chosen yet, have what such an item has.
            changed: (C,) rows, those at the end too, whose price or categories are now as `catalogue` says. A category
                that nothing is known of counts as unknown.
        """
        number, old = len(catalogue), len(self.log_price)
        item = extended(self.item, number, 0)
        item[old:] = self._of_nobody()
        log_price = extended(self.log_price, number, 0)
        price = catalogue.price[changed]
        known = np.isfinite(price)
        mean_price = float(np.nanmean(catalogue.price)) if np.isfinite(catalogue.price).any() else 1.0
        log_price[changed] = np.log(np.where(known, np.maximum(price, 0), mean_price) + 0.05)
        levels = {}
        for name, level in self.levels.items():
            codes = extended(level.codes, number, 0)
            now = catalogue.categories[name].codes[changed]
            codes[changed] = np.where(now < len(level.table), now, 0)
            mean = np.zeros(len(level.table), np.float32)
            mean[level.codes] = self.log_price - level.relative_price
            relative_price = extended(level.relative_price, number, 0)
            relative_price[changed] = log_price[changed] - mean[codes[changed]]
            levels[name] = LevelStatistics(codes, level.table, extended(level.item_share, number, 0), relative_price)
        return ItemStatistics(self.now, self.horizon_days, item, log_price, levels)

    def _of_nobody(self) -> NDArray[np.float32]:
        """(len(KEY_FEATURES),) of an item that nobody has chosen; where every item was, what all have in the middle."""
        unchosen = self.item[:, KEY_FEATURES.index("buyers")] == 0
        if unchosen.any():
            return np.array(self.item[int(np.argmax(unchosen))])
        made = np.zeros(len(KEY_FEATURES), np.float32)
        for name in ("repeat_share", "rebuy_rate", "gap"):
            column = KEY_FEATURES.index(name)
            made[column] = np.median(self.item[:, column]) if len(self.item) else 0
        made[KEY_FEATURES.index("first_buyer_share")] = 0.5
        for name in ("age", "days_since"):
            made[KEY_FEATURES.index(name)] = _UNKNOWN
        return made

    def save(self, directory: Path) -> None:
        """Write `statistics.json` and `.npy` arrays; the codes of the levels stay in the catalogue."""
        directory.mkdir(parents=True, exist_ok=True)
        np.save(directory / "item.npy", self.item)
        np.save(directory / "log_price.npy", self.log_price)
        for number, level in enumerate(self.levels.values()):
            np.save(directory / f"level_{number}.npy", level.table)
            np.save(directory / f"level_{number}_item_share.npy", level.item_share)
            np.save(directory / f"level_{number}_relative_price.npy", level.relative_price)
        document = {"now": self.now, "horizon_days": self.horizon_days, "levels": list(self.levels)}
        (directory / "statistics.json").write_bytes(orjson.dumps(document))

    @classmethod
    def load(cls, directory: Path, catalogue: Catalogue) -> "ItemStatistics":
        """Read what `save` wrote.

        Raises:
            BundleError: a file is absent or does not fit the catalogue.
        """
        try:
            document = orjson.loads((directory / "statistics.json").read_bytes())
            arrays = {path.stem: np.load(path, allow_pickle=False) for path in directory.glob("*.npy")}
            levels = {
                name: LevelStatistics(
                    catalogue.categories[name].codes,
                    arrays[f"level_{number}"],
                    arrays[f"level_{number}_item_share"],
                    arrays[f"level_{number}_relative_price"],
                )
                for number, name in enumerate(document["levels"])
            }
            return cls(document["now"], document["horizon_days"], arrays["item"], arrays["log_price"], levels)
        except (OSError, ValueError, KeyError) as error:
            raise BundleError(f"the item statistics in {directory} cannot be read ({error!r})") from None


def _by_key(
    user: NDArray[np.int32],
    key: NDArray[np.int32],
    trip: NDArray[np.int64],
    time: NDArray[np.int64],
    number: int,
    now: int,
    horizon_days: int,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The KEY_FEATURES of each of `number` keys, and their trips in the last 90 days (+ 0.001, to divide by)."""
    first_seen, last_seen = np.full(number, np.inf), np.full(number, -np.inf)
    np.minimum.at(first_seen, key, time)
    np.maximum.at(last_seen, key, time)

    order = np.lexsort((time, key, user))
    user, key, trip, time = user[order], key[order], trip[order], time[order]
    new_pair = np.ones(len(user), np.bool_)
    new_pair[1:] = (user[1:] != user[:-1]) | (key[1:] != key[:-1])
    new_trip = new_pair.copy()
    new_trip[1:] |= trip[1:] != trip[:-1]
    key, time, new_pair = key[new_trip], time[new_trip], new_pair[new_trip]
    age = (now - time) / DAY

    def count(mask: NDArray[np.bool_], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        picked = None if weights is None else weights[mask]
        return np.bincount(key[mask], weights=picked, minlength=number).astype(np.float64)

    everything = np.ones(len(key), np.bool_)
    repeated = ~new_pair
    second = repeated.copy()
    second[1:] &= new_pair[:-1]
    gap = np.zeros(len(time))
    gap[1:] = np.diff(time) / DAY

    trips, buyers, rebuyers = count(everything), count(new_pair), count(second)
    trips_7d, trips_28d, trips_90d = count(age < 7), count(age < 28), count(age < 90)
    trips_before_28d = count((age >= 28) & (age < 56))
    gaps, number_of_gaps = count(repeated, gap), trips - buyers

    pair = np.cumsum(new_pair) - 1
    pairs = int(pair[-1]) + 1 if len(pair) else 0
    pair_key = key[new_pair]
    earlier = np.bincount(pair, weights=(age >= horizon_days) & (age < horizon_days + 90), minlength=pairs) > 0
    lately = np.bincount(pair, weights=age < horizon_days, minlength=pairs) > 0
    bought_earlier = np.bincount(pair_key[earlier], minlength=number)
    bought_again = np.bincount(pair_key[earlier & lately], minlength=number)

    mean_gap = gaps.sum() / max(number_of_gaps.sum(), 1)
    mean_rebuy = bought_again.sum() / max(bought_earlier.sum(), 1)
    mean_repeat = rebuyers.sum() / max(buyers.sum(), 1)
    columns = {
        "buyers": np.log1p(buyers),
        "trips_7d": np.log1p(trips_7d),
        "trips_28d": np.log1p(trips_28d),
        "trips_90d": np.log1p(trips_90d),
        "buyers_horizon": np.log1p(np.bincount(pair_key[lately], minlength=number)),
        "trend_28d": np.log((trips_28d + 1) / (trips_before_28d + 1)),
        "trend_7d": np.log((4 * trips_7d + 1) / (trips_28d + 1)),
        "trend_90d": np.log((trips_28d * 90 / 28 + 1) / (trips_90d + 1)),
        "repeat_share": (rebuyers + _PRIOR * mean_repeat) / (buyers + _PRIOR),
        "trips_per_buyer": trips / np.maximum(buyers, 1),
        "rebuy_rate": (bought_again + _PRIOR * mean_rebuy) / (bought_earlier + _PRIOR),
        "gap": (gaps + _PRIOR * mean_gap) / (number_of_gaps + _PRIOR),
        "first_buyers_28d": np.log1p(count(new_pair & (age < 28))),
        "first_buyer_share": (count(new_pair & (age < 90)) + 1) / (trips_90d + 2),
        "age": (now - first_seen) / DAY,
        "days_since": (now - last_seen) / DAY,
    }
    table = np.stack([columns[name] for name in KEY_FEATURES], axis=1).astype(np.float32)
    table[~np.isfinite(table)] = _UNKNOWN
    return table, trips_90d + 1e-3
