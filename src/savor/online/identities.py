"""Anonymous visitors who say who they are."""

from savor.online.stores.hot_states import HotStates
from savor.online.stores.visitors import Visitors


class Identities:
    """Merges visitors into users, in the store and in what is near to hand.

    Args:
        visitors: the store.
        hot_states: recent events.
    """

    def __init__(self, visitors: Visitors, hot_states: HotStates) -> None:
        self._visitors, self._hot_states = visitors, hot_states

    def merge(self, visitor_id: str, user_id: str) -> bool:
        """Count everything of the visitor for the user, past and to come; False where it does already.

        Doing it again changes nothing, and mends what was cut off in between.

        Raises:
            StoreError: as `Visitors.merge`.
            StoreAwayError: the database cannot be reached; nothing was done.
        """
        changed = self._visitors.merge(visitor_id, user_id)
        self._hot_states.merge(visitor_id, user_id)
        return changed
