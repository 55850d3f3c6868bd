"""What is known of each user at this moment."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError
from savor.data.histories import Histories, History
from savor.features.columns import Columns
from savor.features.profiles import Profiles, UserProfile
from savor.features.searches import Searches, SearchHistory


class UserState(NamedTuple):
    """What is known of one user at one moment.

    Attributes:
        history: what they did.
        profile: what is known of them apart from that.
        searches: what they searched for.
        known: whether anything is known of them.
        interest: the history together with what they did that is of no kind the bundle was trained on, as looking at
            an item where it knows purchases only; the same as `history` where there is nothing of that.
        problem: why something that happened lately may be missing; empty where all is well.
    """

    history: History
    profile: UserProfile
    searches: SearchHistory
    known: bool
    interest: History
    problem: str = ""


class UserStates:
    """Histories and profiles by user id.

    The one door to user state: callers hold ids, never rows, so events that arrive later can be laid over what a
    bundle brought without their knowing. Reading is safe from several threads.

    Args:
        histories: row u belongs to `profiles.ids[u]`.
        profiles: U users.
        alias: what stands in the tables for an id that is not there as it is (a pseudonym); None: nothing.
        searches: what they searched for; None: nothing.
    """

    def __init__(
        self,
        histories: Histories,
        profiles: Profiles,
        alias: Callable[[str], str] | None = None,
        searches: Searches | None = None,
    ) -> None:
        if len(histories) != len(profiles):
            raise BundleError(f"user state has {len(histories)} histories and {len(profiles)} profiles; train again")
        self._histories = histories
        self._profiles = profiles
        self._alias = alias
        self._searches = searches

    def _row(self, user_id: str) -> int | None:
        row = self._profiles.index.get(user_id)
        return self._profiles.index.get(self._alias(user_id)) if row is None and self._alias else row

    def __len__(self) -> int:
        return len(self._profiles)

    def __contains__(self, user_id: str) -> bool:
        return self._row(user_id) is not None

    @property
    def ids(self) -> list[str]:
        """U user ids, in the order of the user table."""
        return self._profiles.ids

    @property
    def columns(self) -> Columns:
        """The columns of the user table."""
        return self._profiles.columns

    def in_bundle(self, user_id: str) -> bool:
        """Whether the user stands in the table."""
        return self._row(user_id) is not None

    def history(self, user_id: str, now: int) -> History:
        """What the user did up to and including `now` (UTC seconds), oldest first; empty for somebody unknown."""
        row = self._row(user_id)
        if row is None:
            return History.empty()
        history = self._histories.of(row)
        end = int(np.searchsorted(history.time, now, side="right"))
        if end == len(history):
            return history
        return History(**{field.name: getattr(history, field.name)[:end] for field in fields(History)})

    def profile(self, user_id: str) -> UserProfile:
        """What is known of the user apart from that; nothing for somebody unknown."""
        row = self._row(user_id)
        return UserProfile(user_id) if row is None else self._profiles.of(row)

    def searches(self, user_id: str) -> SearchHistory:
        """What the user searched for, oldest first; nothing for somebody unknown."""
        row = self._row(user_id)
        return SearchHistory.empty() if row is None or self._searches is None else self._searches.of(row)

    def at(self, user_id: str, now: int) -> UserState:
        """All of it at the moment `now` (UTC seconds)."""
        history = self.history(user_id, now)
        return UserState(history, self.profile(user_id), self.searches(user_id), user_id in self, history)

    def sample(self, limit: int, *, containing: str = "") -> list[tuple[str, int]]:
        """Up to `limit` (user id, number of events), for people to choose from.

        Without `containing`, users spread over the table who have events; with it, the first ids that hold the text.
        """
        counts = np.diff(self._histories.indptr)
        ids = self._profiles.ids
        if containing:
            wanted = containing.casefold()
            found = (row for row, identifier in enumerate(ids) if wanted in identifier.casefold())
            return [(ids[row], int(counts[row])) for row, _ in zip(found, range(limit), strict=False)]
        active = np.flatnonzero(counts)
        rows = active[np.unique(np.linspace(0, len(active) - 1, limit).astype(np.intp))] if len(active) else active
        return [(ids[row], int(counts[row])) for row in rows]

    def save(self, directory: Path) -> None:
        """Write `histories/*.npy`, `profiles/` and, where there are any, `searches/` below `directory`."""
        (directory / "histories").mkdir(parents=True, exist_ok=True)
        for field in fields(Histories):
            np.save(directory / "histories" / f"{field.name}.npy", getattr(self._histories, field.name))
        self._profiles.save(directory / "profiles")
        if self._searches is not None:
            self._searches.save(directory / "searches")

    @classmethod
    def load(cls, directory: Path, alias: Callable[[str], str] | None = None) -> "UserStates":
        """Read what `save` wrote; the event columns stay on disk and are read as they are needed.

        Raises:
            BundleError: a file is absent or damaged.
        """
        try:
            columns = {
                field.name: _mapped(directory / "histories" / f"{field.name}.npy") for field in fields(Histories)
            }
        except (OSError, ValueError) as error:
            raise BundleError(
                f"the user state in {directory} cannot be read ({error}); publish the bundle again"
            ) from None
        searches = Searches.load(directory / "searches") if (directory / "searches").is_dir() else None
        return cls(Histories(**columns), Profiles.load(directory / "profiles"), alias, searches)


def _mapped(path: Path) -> NDArray[Any]:
    """The array in `path`, backed by the file; a plain array, as slices of `np.memmap` are slow to make."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
