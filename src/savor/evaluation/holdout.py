"""What is asked of a model, and what would have been right."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import DataError
from savor.data.events import Events
from savor.data.histories import Histories

Task = Literal["all", "new", "cold_users", "cold_items"]


@dataclass(frozen=True)
class Holdout:
    """Q questions: a user, a moment, what is known then, and the distinct items that came after.

    The tasks:

    - `all`: users with a history, items with an event before; every such item that came after is relevant.
    - `new`: the same without the items in the user's own history; users with none left are not asked.
    - `cold_users`: users without a history; items with an event before.
    - `cold_items`: users with a history; only items without any event before are relevant.

    Attributes:
        task: one of the four.
        users: (Q,) int32 rows of the user table, rising.
        now: (Q,) int64 UTC seconds; every known event is earlier.
        histories: what is known of all U users of the table (not only of the Q).
        indptr: (Q + 1,) int64; the items relevant to question q stand at `indptr[q]:indptr[q + 1]`.
        items: (R,) int32 distinct relevant items of each question, rising.
        number_of_items: I, size of the catalogue that is ranked.
        counts: questions and relevant items of each task, for the protocol: `{"all": {"users", "relevant"}, …}`.
    """

    task: Task
    users: NDArray[np.int32]
    now: NDArray[np.int64]
    histories: Histories = field(repr=False)
    indptr: NDArray[np.int64] = field(repr=False)
    items: NDArray[np.int32] = field(repr=False)
    number_of_items: int
    counts: dict[str, dict[str, int]]

    def __len__(self) -> int:
        return len(self.users)

    @property
    def relevant_counts(self) -> NDArray[np.int64]:
        """(Q,) how many items are relevant, at least 1."""
        return np.diff(self.indptr)

    @property
    def excludes_seen(self) -> bool:
        """Whether a model should leave out what the user has had before."""
        return self.task == "new"

    def sample(self, maximum: int, seed: int) -> "Holdout":
        """At most `maximum` of the questions, drawn by `seed`, in the same order."""
        if len(self) <= maximum:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), maximum, replace=False))
        counts = self.relevant_counts[rows]
        kept = np.zeros(len(self), np.bool_)
        kept[rows] = True
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        items = self.items[np.repeat(kept, self.relevant_counts)]
        return replace(self, users=self.users[rows], now=self.now[rows], indptr=indptr, items=items)

    @classmethod
    def from_events(
        cls,
        events: Events,
        target: int,
        *,
        number_of_users: int,
        number_of_items: int,
        cut: int | None,
        task: Task = "all",
        kinds: Sequence[int] | None = None,
        minimum_value: float | None = None,
    ) -> "Holdout":
        """Build the questions of one task.

        Args:
            events: all events, in time order, with their split.
            target: the split whose events are asked for; everything of an earlier split is known.
            number_of_users: U.
            number_of_items: I.
            cut: UTC seconds at which all questions are asked (temporal split). Absent (leave-one-out): each user is
                asked one second after the last known event, so the time of the event asked for is not given away.
            task: see the class.
            kinds: only events of these kinds can be relevant; absent: all.
            minimum_value: only events of at least this value can be relevant (a rating, say); absent: all.

        Raises:
            DataError: the task is unknown, or the target split has no events.
        """
        if task not in get_args(Task):
            raise DataError(f"no such task: {task!r}; there are {', '.join(get_args(Task))}")
        return cls.by_task(
            events,
            target,
            number_of_users=number_of_users,
            number_of_items=number_of_items,
            cut=cut,
            kinds=kinds,
            minimum_value=minimum_value,
        )[task]

    @classmethod
    def by_task(
        cls,
        events: Events,
        target: int,
        *,
        number_of_users: int,
        number_of_items: int,
        cut: int | None,
        kinds: Sequence[int] | None = None,
        minimum_value: float | None = None,
    ) -> "dict[Task, Holdout]":
        """The questions of all four tasks, which share their histories; a task may be empty.

        Arguments as in `from_events`.

        Raises:
            DataError: the target split has no events.
        """
        asked = events.split == target
        if not asked.any():
            raise DataError("nothing to evaluate on: the split asked for has no events")
        known = events.select(events.split < target)
        if kinds is not None:
            asked &= np.isin(events.kind, np.asarray(kinds))
        if minimum_value is not None:
            asked &= events.value >= minimum_value
        pairs = _pairs(events.select(asked), number_of_items)
        chosen = _by_task(pairs, known, number_of_users, number_of_items)
        histories = Histories.from_events(known, number_of_users)
        counts: dict[str, dict[str, int]] = {}
        holdouts: dict[Task, Holdout] = {}
        for task, wanted in chosen.items():
            users, first = np.unique(wanted // number_of_items, return_index=True)
            counts[task] = {"users": len(users), "relevant": len(wanted)}
            holdouts[task] = cls(
                task,
                users.astype(np.int32),
                _moments(users, histories, known, cut),
                histories,
                np.append(first, len(wanted)).astype(np.int64),
                (wanted % number_of_items).astype(np.int32),
                number_of_items,
                counts,
            )
        return holdouts


def _pairs(events: Events, number_of_items: int) -> NDArray[np.int64]:
    """Distinct user * I + item, rising."""
    return np.unique(events.user.astype(np.int64) * number_of_items + events.item)


def _by_task(
    pairs: NDArray[np.int64], known: Events, number_of_users: int, number_of_items: int
) -> dict[Task, NDArray[np.int64]]:
    warm_user = np.zeros(number_of_users, bool)
    warm_user[known.user] = True
    warm_item = np.zeros(number_of_items, bool)
    warm_item[known.item] = True
    user, item = warm_user[pairs // number_of_items], warm_item[pairs % number_of_items]
    warm = pairs[user & item]
    return {
        "all": warm,
        "new": np.setdiff1d(warm, _pairs(known, number_of_items), assume_unique=True),
        "cold_users": pairs[~user & item],
        "cold_items": pairs[user & ~item],
    }


def _moments(users: NDArray[np.int64], histories: Histories, known: Events, cut: int | None) -> NDArray[np.int64]:
    if cut is not None:
        return np.full(len(users), cut, np.int64)
    latest = int(known.time.max(initial=0))
    has_history = histories.indptr[users + 1] > histories.indptr[users]
    moments = np.full(len(users), latest + 1, np.int64)
    moments[has_history] = histories.time[histories.indptr[users[has_history] + 1] - 1] + 1
    return moments
