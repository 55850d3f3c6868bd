"""The parts of a bundle that follow from the data alone, as of a moment."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from savor.core.config import Section
from savor.data.events import Events
from savor.data.histories import Histories
from savor.features.catalogue import Catalogue
from savor.features.item_statistics import ItemStatistics
from savor.features.profiles import Profiles
from savor.features.searches import Searches
from savor.models.baselines.ease import Ease, EaseParams
from savor.models.neighbours import Neighbours
from savor.online.user_states import UserStates

DAY = 86_400


class StateOptions(Section):
    """`[state]` in savor.toml: what is computed afresh from the data at every publication."""

    trending_days: float = Field(28.0, gt=0, description="Length of the window in which something trends.")
    co_purchase_items: int = Field(12_000, ge=10, description="How many of the most chosen items co-purchase covers.")
    co_purchase_neighbours: int = Field(50, ge=1, description="How many neighbours are kept of each item.")
    co_purchase_regularisation: float = Field(1000.0, gt=0, description="λ of the EASE weights behind co-purchase.")
    trend_exponent: float = Field(
        0.5, ge=0, le=1, description="How much co-purchase favours what sells now over what sold before; 0: not at all."
    )


def write_state(
    parts: Path,
    known: Events,
    catalogue: Catalogue,
    profiles: Profiles,
    now: int,
    horizon_days: int,
    options: StateOptions,
    levels: Sequence[str] = (),
    searches: Searches | None = None,
) -> None:
    """Write `catalogue/`, `state/` and `sources/` below `parts`.

    Args:
        parts: folder of a bundle in the making.
        known: what may be known at `now`, in time order.
        catalogue: all items.
        profiles: all users.
        now: UTC seconds.
        horizon_days: length of the window that rebuying is measured over.
        options: windows and sizes.
        levels: category columns that statistics cover; none: all.
        searches: of all users; those before `now` are kept.
    """
    catalogue.save(parts / "catalogue")
    histories = Histories.from_events(known, len(profiles))
    asked = None if searches is None else searches.before(now)
    UserStates(histories, profiles, searches=asked).save(parts / "state")
    statistics = ItemStatistics.from_events(known, catalogue, now, horizon_days, levels)
    statistics.save(parts / "state" / "statistics")
    sources = parts / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    buyers = _buyers(known, len(catalogue))
    trending = _buyers(known.select(known.time >= now - options.trending_days * DAY), len(catalogue))
    np.save(sources / "popularity.npy", buyers)
    np.save(sources / "trending.npy", trending)
    _co_purchase(known, len(profiles), len(catalogue), now, buyers, trending, options).save(sources / "co_purchase")


def _co_purchase(
    known: Events,
    number_of_users: int,
    number_of_items: int,
    now: int,
    buyers: NDArray[np.float32],
    trending: NDArray[np.float32],
    options: StateOptions,
) -> Neighbours:
    """EASE weights, each target weighed by its present share of its sales: ((lately + 1) / (ever + 5)) ** exponent."""
    params = EaseParams(regularisation=options.co_purchase_regularisation, maximum_items=options.co_purchase_items)
    model = Ease(params)
    model.fit(known, number_of_users, number_of_items, now)
    table = model.neighbours(options.co_purchase_neighbours)
    trend = ((trending + 1) / (buyers + 5)) ** np.float32(options.trend_exponent)
    weight = (table.weight * trend[table.item]).astype(np.float32)
    order = np.argsort(-weight, axis=1, kind="stable")
    return Neighbours(np.take_along_axis(table.item, order, axis=1), np.take_along_axis(weight, order, axis=1))


def _buyers(events: Events, number_of_items: int) -> NDArray[np.float32]:
    """(I,) float32, distinct users of each item."""
    pairs = np.unique(events.user.astype(np.int64) * number_of_items + events.item)
    return np.bincount(pairs % number_of_items, minlength=number_of_items).astype(np.float32)
