"""Hydrator: what is known of the user."""

from typing import Any

from savor.online.user_states import UserStates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class User:
    """History up to now, profile, searches, and whether the user is known at all."""

    name = "user"
    reads = frozenset[str]()
    writes = frozenset({"history", "profile", "searches", "known_user"})
    required = True

    def __init__(self, states: UserStates) -> None:
        self._states = states

    def hydrate(self, query: Query, hydrated: Hydrated) -> dict[str, Any]:  # noqa: ARG002
        """`history` (History), `profile` (UserProfile), `searches` (SearchHistory) and `known_user` (bool)."""
        return {
            "history": self._states.history(query.user_id, query.now),
            "profile": self._states.profile(query.user_id),
            "searches": self._states.searches(query.user_id),
            "known_user": query.user_id in self._states,
        }
