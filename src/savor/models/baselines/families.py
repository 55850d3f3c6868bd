"""The baselines by name, with what there is to tune in each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from savor.core.config import Section
from savor.models.baselines.ease import Ease
from savor.models.baselines.ials import Ials
from savor.models.baselines.item_knn import ItemKnn
from savor.models.baselines.own_frequency import OwnFrequency
from savor.models.baselines.popularity import Popularity, PopularityParams
from savor.models.recommender import Recommender


@dataclass(frozen=True)
class Family:
    """A kind of model and the parameters worth trying.

    Attributes:
        name: what reports call it.
        make: from parameters to a model that is not fitted yet.
        grid: from `quick` or `full` to the parameters to try, never none.
        offers_unseen: whether it has anything to offer when seen items are left out.
    """

    name: str
    make: Callable[[Any], Recommender]
    grid: Callable[[Literal["quick", "full"]], list[Any]]
    offers_unseen: bool = True


def _all_time(mode: Literal["quick", "full"]) -> list[Section]:
    return (
        [PopularityParams(days=None)]
        if mode == "quick"
        else [
            PopularityParams(days=None, count="events"),
            PopularityParams(days=None, count="users"),
        ]
    )


FAMILIES: tuple[Family, ...] = (
    Family("popularity", Popularity, _all_time),
    Family("recent_popularity", Popularity, Popularity.grid),
    Family("own_frequency", OwnFrequency, OwnFrequency.grid, offers_unseen=False),
    Family("item_knn", ItemKnn, ItemKnn.grid),
    Family("ease", Ease, Ease.grid),
    Family("ials", Ials, Ials.grid),
)
"""Every baseline, from the plainest on."""
