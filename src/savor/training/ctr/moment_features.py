"""What was known of user and item at the moment of each rating, as one table."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.training.ctr.running_means import Earlier


@dataclass(frozen=True)
class RatedEvents:
    """N ratings in time order, of all periods.

    Attributes:
        user: (N,) int32 rows.
        item: (N,) int32 rows.
        time: (N,) int64 UTC seconds.
        moment: (N,) int64, rising with each user's order; the ratings of one user that share it do not know each other.
            It is the time where times can be trusted.
        value: (N,) float32 ratings.
        user_codes: by name, (U,) int32 codes of what is known of users.
        item_codes: by name, (I,) int32 codes of what is known of items.
        item_tags: (I, T) float32, 1 where the item has the tag.
        item_numbers: (I, M) float32, such as the year; NaN where unknown.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time: NDArray[np.int64]
    moment: NDArray[np.int64]
    value: NDArray[np.float32]
    user_codes: Mapping[str, NDArray[np.int32]]
    item_codes: Mapping[str, NDArray[np.int32]]
    item_tags: NDArray[np.float32]
    item_numbers: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.user)


def moment_features(
    events: RatedEvents, expected: NDArray[np.float64] | None = None, spread: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Statistics of what happened before each event: of its user in earlier moments, of all others in earlier seconds.

    Args:
        events: the ratings; those of the evaluated period count for later ones of it, as they would in a running
            service.
        expected: (N,) ratings that a model expects, see `fold_in`; deviations from it are then followed too.
        spread: (N,) how sure it is.

    Returns:
        (N, F) float32, NaN where unknown, and F names.
    """
    value = events.value.astype(np.float64)
    by_user, by_item = Earlier(events.user, events.moment), Earlier(events.item, events.time)
    columns: dict[str, NDArray[np.floating]] = {}
    everyone = Earlier(np.zeros(len(events), np.int32), events.time)
    overall = everyone.mean(value, 3.5, 100)
    columns["everyone.mean_5000"] = everyone.mean(value, 3.5, 100, 5000)
    user_count, item_count = by_user.count(), by_item.count()
    item_mean = by_item.mean(value, overall, 5)
    user_mean = by_user.mean(value, overall, 5)
    above_item, above_user = value - item_mean, value - user_mean
    columns |= {
        "user.count": user_count,
        "user.mean": user_mean,
        "user.above_items": by_user.mean(above_item, 0.0, 3),
        "user.above_items_5": by_user.mean(above_item, 0.0, 1, 5),
        "user.above_items_20": by_user.mean(above_item, 0.0, 2, 20),
        "user.square": by_user.mean((value - user_mean) ** 2, 1.0, 3),
        "user.share_5": by_user.mean(value >= 5, 0.23, 5),
        "user.share_low": by_user.mean(value <= 2, 0.16, 5),
        "item.count": item_count,
        "item.mean": item_mean,
        "item.above_users": by_item.mean(above_user, 0.0, 5),
        "item.above_users_50": by_item.mean(above_user, 0.0, 5, 50),
        "item.mean_50": by_item.mean(value, item_mean, 5, 50),
        "item.square": by_item.mean((value - item_mean) ** 2, 1.0, 5),
        "item.share_5": by_item.mean(value >= 5, 0.23, 5),
        "item.share_low": by_item.mean(value <= 2, 0.16, 5),
    }
    for place in (1, 2, 3):
        columns[f"user.latest_{place}"] = by_user.latest(above_item, place)
    if expected is not None and spread is not None:
        surprise = value - expected
        columns |= {
            "model.expected": expected,
            "model.spread": spread,
            "user.surprise": by_user.mean(surprise, 0.0, 3),
            "user.surprise_5": by_user.mean(surprise, 0.0, 1, 5),
            "user.surprise_1": by_user.latest(surprise, 1),
            "item.surprise": by_item.mean(surprise, 0.0, 5),
            "item.surprise_100": by_item.mean(surprise, 0.0, 5, 100),
        }
    for name, codes in events.user_codes.items():
        own = codes[events.user]
        pair = events.item.astype(np.int64) * (int(codes.max(initial=0)) + 1) + own
        columns[f"item.above_users_by_{name}"] = Earlier(pair, events.time).mean(above_user, 0.0, 5)
        columns[f"user_{name}.above_items"] = Earlier(own, events.time).mean(above_item, 0.0, 20)
    for name, codes in events.item_codes.items():
        own = codes[events.item]
        pair = events.user.astype(np.int64) * (int(codes.max(initial=0)) + 1) + own
        found = Earlier(pair, events.moment)
        columns[f"user.above_items_by_{name}"] = found.mean(above_item, 0.0, 3)
        columns[f"user.count_by_{name}"] = found.count()
    columns |= _tag_columns(events, above_item, by_user)
    for number in range(events.item_numbers.shape[1]):
        own = events.item_numbers[events.item, number].astype(np.float64)
        known = np.nan_to_num(own)
        usual = by_user.mean(known, np.nanmean(own), 1)
        liked = by_user.mean(known * (value >= 4), 0.0, 0.01) / np.maximum(by_user.mean(value >= 4, 0.5, 0.01), 0.01)
        columns |= {
            f"item.number_{number}": own,
            f"user.usual_{number}": own - usual,
            f"user.liked_{number}": own - liked,
        }
    return np.stack(list(columns.values()), axis=1).astype(np.float32), tuple(columns)


def _tag_columns(
    events: RatedEvents, above_item: NDArray[np.float64], by_user: Earlier
) -> dict[str, NDArray[np.floating]]:
    """How the user liked the tags of the item, beside what items with them get from everybody."""
    total, number = np.zeros(len(events)), np.zeros(len(events))
    best, worst = np.full(len(events), -9.0), np.full(len(events), 9.0)
    for tag in range(events.item_tags.shape[1]):
        has = events.item_tags[events.item, tag].astype(np.float64)
        with_tag = by_user.total(has)
        mean = by_user.total(has * above_item) / (with_tag + 3)
        here = has > 0
        total[here] += mean[here]
        number[here] += 1
        best[here] = np.maximum(best[here], mean[here])
        worst[here] = np.minimum(worst[here], mean[here])
    none = number == 0
    columns = {"user.above_by_tag": total / np.maximum(number, 1), "user.best_tag": best, "user.worst_tag": worst}
    for column in columns.values():
        column[none] = np.nan
    return {**columns, "item.tags": number}
