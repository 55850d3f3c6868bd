"""The id under which experiments know a person."""

from savor.online.stores.experiment_store import ExperimentStore
from savor.online.stores.visitors import Visitors

_AT_ONCE = 1000


class Units:
    """Somebody who was seen as an anonymous visitor keeps the visitor's variant after becoming a user.

    A person's id in experiments is the user's where lists were shown under it already, or else that of a visitor to
    whom some were shown, or else the user's.

    Args:
        visitors: who became whom.
        store: to whom lists were shown.
    """

    def __init__(self, visitors: Visitors, store: ExperimentStore) -> None:
        self._visitors, self._store = visitors, store
        self._units: dict[str, str] = {}
        self._version = 0

    def of(self, user_id: str) -> str:
        """The id that is assigned to a variant."""
        return self._units.get(user_id, user_id)

    def follow(self) -> None:
        """Take in the merges since the last time.

        Raises:
            StoreAwayError: the database cannot be reached.
        """
        while merges := self._visitors.read_after(self._version, _AT_ONCE):
            seen = self._store.exposed({name for one in merges for name in (one.visitor_id, one.user_id)})
            for visitor, user, version in ((one.visitor_id, one.user_id, one.version) for one in merges):
                unit = self._units.get(user, user)
                if unit == user and user not in seen and visitor in seen:
                    unit = visitor
                self._units[user] = self._units[visitor] = unit
                self._version = version
