"""What every model that can be compared with the others does."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from savor.data.events import Events
from savor.models.ranked import Ranked


@runtime_checkable
class Recommender(Protocol):
    """A model that ranks the whole catalogue for any user of the table.

    Fitting twice on the same events gives the same lists. An item without any evidence for a user is not used to fill
    the list: it is padded with -1 instead, so that a model is never credited for the order of the catalogue.

    Attributes:
        name: what reports call it.
    """

    name: str

    def fit(self, events: Events, number_of_users: int, number_of_items: int, now: int) -> None:
        """Learn from what may be known.

        Args:
            events: everything that may be known, in time order.
            number_of_users: U, rows of the user table; users without events are allowed.
            number_of_items: I, rows of the item table; items without events are allowed.
            now: UTC seconds; the moment the recommendations are for, not before the last event.
        """

    def recommend(self, users: NDArray[np.int32], k: int, *, exclude_seen: bool) -> Ranked:
        """Rank for each of `users`.

        Args:
            users: (B,) int32 rows of the user table.
            k: length of the lists.
            exclude_seen: leave out every item the user has an event with in what was fitted.
        """
