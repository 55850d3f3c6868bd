"""Hydrator: what is known of the user."""

from typing import Any

from savor.online.user_states import UserStates
from savor.pipeline.query import Query
from savor.pipeline.stage import Hydrated


class User:
    """History up to now, profile, searches, and whether the user is known at all."""

    name = "user"
    reads = frozenset[str]()
    writes = frozenset({"history", "profile", "searches", "known_user", "interest", "state_problem"})
    required = True

    def __init__(self, states: UserStates) -> None:
        self._states = states

    def hydrate(self, query: Query, hydrated: Hydrated) -> dict[str, Any]:  # noqa: ARG002
        """`history` (History), `profile` (UserProfile), `searches` (SearchHistory) and `known_user` (bool).

        `interest` (History) is the history with what is of no kind the bundle knows; `state_problem` (str) says why
        something that happened lately may be missing.
        """
        state = self._states.at(query.user_id, query.now)
        return {
            "history": state.history,
            "profile": state.profile,
            "searches": state.searches,
            "known_user": state.known,
            "interest": state.interest,
            "state_problem": state.problem,
        }
