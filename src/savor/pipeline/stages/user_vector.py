"""Hydrator: the user tower."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import History
from savor.features.profiles import UserProfile
from savor.features.searches import SearchHistory
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated

Tower = Callable[[dict[str, NDArray[Any]]], NDArray[np.float32]]


class UserInputs(Protocol):
    """Makes the inputs of a user tower."""

    def user_input(
        self,
        history: History,
        profile: UserProfile,
        now: int,
        searches: SearchHistory | None = None,
        search: NDArray[np.float32] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """By input name, arrays with a batch of one."""


class UserVector:
    """Runs the tower on history, profile and searches.

    What is searched for at this moment (`search_vector`) may be absent. Where there is an `interest`, it stands in the
    place of the history: what somebody looks at now says more of what they want than nothing.
    """

    name = "user_vector"
    reads = frozenset({"history", "profile", "searches"})
    writes = frozenset({"user_vector"})
    required = False

    def __init__(self, features: UserInputs, tower: Tower) -> None:
        self._features, self._tower = features, tower

    def hydrate(self, query: Query, hydrated: Hydrated) -> dict[str, Any]:
        """`user_vector`: (D,) float32."""
        inputs = self._features.user_input(
            hydrated.get("interest", hydrated["history"]),
            hydrated["profile"],
            query.now,
            hydrated["searches"],
            hydrated.get("search_vector"),
        )
        return {"user_vector": self._tower(inputs)[0]}
