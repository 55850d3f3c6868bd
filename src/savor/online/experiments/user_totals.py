"""What each user of an experiment did: the user is what was randomised, so the user is what is counted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.online.experiments.outcomes import Exposures, Lists, Outcomes, attribute


@dataclass(frozen=True)
class UserTotals:
    """U users of one experiment, each with the variant of their first list.

    Attributes:
        user: (U,) int32, rising.
        variant: (U,) int16.
        columns: (U,) float64 each: `lists`, `impressions`, `clicks` (items clicked, once for each exposure),
            `purchases`, `converted` (0 or 1), `attributed_money`, `money` (whatever a user spent since the first
            list, whether or not a list led to it), `fallbacks`, `seconds`.
        mixed: how many users saw more than one variant; above 0 something is wrong with the assignment or its log.
    """

    user: NDArray[np.int32]
    variant: NDArray[np.int16]
    columns: dict[str, NDArray[np.float64]]
    mixed: int

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def of(cls, lists: Lists, exposures: Exposures, outcomes: Outcomes, window: float) -> "UserTotals":
        """Add up.

        Args:
            lists: of a period in which the weights of the variants did not change.
            exposures: their items.
            outcomes: of anybody; those of users without a list are left out.
            window: seconds after an exposure in which an outcome counts as having come of it.
        """
        order = np.lexsort((lists.time, lists.user))
        user, first, row_of_list = np.unique(lists.user[order], return_index=True, return_inverse=True)
        size = len(user)
        row = np.empty(len(lists), np.intp)
        row[order] = row_of_list
        variant, start = lists.variant[order][first], lists.time[order][first]
        strangers = np.unique(row[lists.variant != variant[row]])

        exposure = attribute(lists, exposures, outcomes, window)
        came = exposure >= 0
        row_of_exposure = row[exposures.list]
        clicked = np.unique(exposure[came & ~outcomes.bought])
        bought = came & outcomes.bought
        buyer = row_of_exposure[exposure[bought]]
        place = np.minimum(np.searchsorted(user, outcomes.user), max(size - 1, 0))
        after = np.zeros(len(outcomes), np.bool_)
        if size:
            since = outcomes.time - start[place]
            after = (user[place] == outcomes.user) & (since >= 0) & outcomes.bought

        def count(rows: NDArray[np.intp], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
            return np.bincount(rows, weights, size).astype(np.float64)

        purchases = count(buyer)
        return cls(
            user,
            variant,
            {
                "lists": count(row),
                "impressions": count(row_of_exposure),
                "clicks": count(row_of_exposure[clicked]),
                "purchases": purchases,
                "converted": (purchases > 0).astype(np.float64),
                "attributed_money": count(buyer, outcomes.money[bought]),
                "money": count(place[after], outcomes.money[after]),
                "fallbacks": count(row[lists.fallback]),
                "seconds": count(row, lists.seconds),
            },
            len(strangers),
        )
