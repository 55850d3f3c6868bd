"""What models of a ranking benchmark may learn from, and what they are asked."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from savor.core.config import Section
from savor.core.errors import DataError
from savor.data.dataset import Dataset
from savor.data.events import Events
from savor.data.splits import TEST, TRAIN, VALIDATION
from savor.evaluation.bootstrap import RESAMPLES
from savor.evaluation.holdout import Holdout, Task
from savor.features.profiles import Profiles

_COLD: Task = "cold_items"


class RankingOptions(Section):
    """`[protocol]` of kind `ranking`: lists from the full catalogue."""

    kind: Literal["ranking"] = "ranking"
    tasks: tuple[Task, ...] = Field(
        ("new",), min_length=1, description="`all`, `new` (seen items filtered), `cold_users`, `cold_items`."
    )
    metrics: tuple[str, ...] = Field(("recall_min@10", "ndcg@10"), min_length=1, description="What the tables show.")
    length: int = Field(100, ge=1, description="Length of the lists asked for.")
    cold_items: Literal["apart", "count"] = Field(
        "apart", description="Whether held-out items that had no event before are left out, or count as missed."
    )
    kinds: tuple[str, ...] = Field((), description="Kinds of events that count as right answers; none: all.")
    minimum_value: float | None = Field(None, description="Least value of an event that counts as a right answer.")
    maximum_users: int = Field(1_000_000, ge=1, description="Most users that are asked.")
    newcomers: float = Field(
        0,
        ge=0,
        lt=0.5,
        description="Share of users held out whole: nothing they did before the test is known. Where the split does "
        "not follow time for all at once, all that they did is asked for, and everything of the others is known.",
    )
    query_time: bool = Field(
        False,
        description="Whether models are told the moment of the event asked for. Splits by time for all at once "
        "tell the moment of the cut anyway.",
    )
    with_profile: bool = Field(False, description="Ask only users of whom some profile column is known.")
    reference: str | None = Field(None, description="The model that all others are compared with, paired by user.")
    resamples: int = Field(RESAMPLES, ge=100, description="Of the bootstrap.")


@dataclass(frozen=True)
class Questions:
    """Everything a ranking benchmark asks, and what may be known.

    Attributes:
        train: events to fit on while something is chosen.
        known: events to fit on for the test: training and validation.
        validation, test: by task, the questions; empty ones are left out of `validation`.
        validation_now, test_now: UTC seconds after the last event known.
        number_of_users, number_of_items: rows of the tables.
        dropped_users: users held out whole.
    """

    train: Events
    known: Events
    validation: dict[Task, Holdout]
    test: dict[Task, Holdout]
    validation_now: int
    test_now: int
    number_of_users: int
    number_of_items: int
    dropped_users: int

    @classmethod
    def of(cls, dataset: Dataset, options: RankingOptions) -> "Questions":
        """Build them.

        Raises:
            DataError: a task has no question.
        """
        events, split = dataset.events, dataset.split
        users, items = len(dataset.user_ids), len(dataset.item_ids)
        kinds = [dataset.kinds.index(kind) for kind in options.kinds] or None
        held = _held_out(users, options.newcomers, 0)
        held_validation = _held_out(users, options.newcomers, 1) & ~held
        if options.newcomers and split.get("test_start") is None:
            part = np.where(held, TEST, np.where(held_validation, VALIDATION, TRAIN)).astype(np.uint8)
            tested = chosen = replace(events, split=part[events.user])
        else:
            tested = events.select(~held[events.user] | (events.split == TEST))
            chosen = events.select(~held[events.user] & (~held_validation[events.user] | (events.split != TRAIN)))
        cuts = (split.get("validation_start"), split.get("test_start"))

        def ask(some: Events, target: int, cut: int | None) -> dict[Task, Holdout]:
            by_task = Holdout.by_task(
                some,
                target,
                number_of_users=users,
                number_of_items=items,
                cut=cut,
                kinds=kinds,
                minimum_value=options.minimum_value,
            )
            asked = {task: by_task[task] for task in options.tasks}
            if options.cold_items == "count":
                asked = {task: _joined(by_task[task], by_task[_COLD]) for task in asked}
            if options.query_time and cut is None:
                first = _first_moments(some, target, users)
                asked = {task: _asked_at(holdout, first) for task, holdout in asked.items()}
            if options.with_profile:
                known = _profiles_known(dataset)
                asked = {task: _rows(holdout, known[holdout.users]) for task, holdout in asked.items()}
            return {task: holdout.sample(options.maximum_users, 0) for task, holdout in asked.items()}

        test = ask(tested, TEST, cuts[1])
        if empty := [task for task, holdout in test.items() if not len(holdout)]:
            raise DataError(f"nobody can be asked about the task {empty[0]!r} on this split")
        has_validation = bool((chosen.split == VALIDATION).any())
        validation = ask(chosen, VALIDATION, cuts[0]) if has_validation else {}
        train, known = chosen.select(chosen.split == TRAIN), tested.select(tested.split < TEST)
        return cls(
            train,
            known,
            {task: holdout for task, holdout in validation.items() if len(holdout)},
            test,
            int(cuts[0] or train.time.max() + 1),
            int(cuts[1] or known.time.max() + 1),
            users,
            items,
            int(held.sum()),
        )


def _held_out(number_of_users: int, share: float, seed: int) -> NDArray[np.bool_]:
    """(U,) bool: the share of users who are held out whole."""
    return np.random.default_rng([20, seed]).random(number_of_users) < share


def _first_moments(events: Events, target: int, number_of_users: int) -> NDArray[np.int64]:
    """(U,) int64 UTC seconds of each user's first event of the split `target`; 0 without one."""
    asked = events.split == target
    first = np.full(number_of_users, np.iinfo(np.int64).max)
    np.minimum.at(first, events.user[asked], events.time[asked])
    return np.where(first == np.iinfo(np.int64).max, 0, first)


def _asked_at(holdout: Holdout, moments: NDArray[np.int64]) -> Holdout:
    """The same questions at `moments`, (U,), but never before what is known."""
    return replace(holdout, now=np.maximum(holdout.now, moments[holdout.users]))


def _profiles_known(dataset: Dataset) -> NDArray[np.bool_]:
    """(U,) bool: users with a value in any profile column."""
    columns = Profiles.from_dataset(dataset).columns
    known = np.zeros(len(dataset.user_ids), np.bool_)
    for category in columns.categories.values():
        known |= category.codes > 0
    for numeric in columns.numerics.values():
        known |= ~np.isnan(numeric)
    return known


def _rows(holdout: Holdout, kept: NDArray[np.bool_]) -> Holdout:
    """The questions at `kept`, (Q,) bool."""
    counts = holdout.relevant_counts
    return _with(holdout, holdout.users[kept], holdout.now[kept], counts[kept], holdout.items[np.repeat(kept, counts)])


def _joined(first: Holdout, second: Holdout) -> Holdout:
    """The questions of both, with the relevant items of a user in both together."""
    moments = dict(zip(second.users.tolist(), second.now.tolist(), strict=True))
    moments |= dict(zip(first.users.tolist(), first.now.tolist(), strict=True))
    size = first.number_of_items
    pairs = np.sort(np.concatenate([_pairs(first), _pairs(second)]))
    users, counts = np.unique(pairs // size, return_counts=True)
    now = np.array([moments[user] for user in users.tolist()], np.int64)
    return _with(first, users.astype(np.int32), now, counts, (pairs % size).astype(np.int32))


def _pairs(holdout: Holdout) -> NDArray[np.int64]:
    return np.repeat(holdout.users.astype(np.int64), holdout.relevant_counts) * holdout.number_of_items + holdout.items


def _with(
    holdout: Holdout,
    users: NDArray[np.int32],
    now: NDArray[np.int64],
    counts: NDArray[np.int64],
    items: NDArray[np.int32],
) -> Holdout:
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return replace(holdout, users=users, now=now, indptr=indptr, items=items)
