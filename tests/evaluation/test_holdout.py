import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.core.errors import DataError
from savor.evaluation.holdout import Holdout
from tests.evaluation.evaluation_fixtures import DAY, ROWS, Sizes, events_of

SIZES = Sizes(number_of_users=5, number_of_items=5)


def relevant(holdout):
    return {
        int(user): holdout.items[start:end].tolist()
        for user, start, end in zip(holdout.users, holdout.indptr[:-1], holdout.indptr[1:], strict=True)
    }


def test_tasks_of_the_test_split():
    holdouts = Holdout.by_task(events_of(ROWS), 2, cut=5 * DAY, **SIZES)
    assert relevant(holdouts["all"]) == {0: [1, 2], 1: [1]}
    assert relevant(holdouts["new"]) == {0: [2]}
    assert relevant(holdouts["cold_users"]) == {3: [0]}
    assert relevant(holdouts["cold_items"]) == {0: [4]}
    assert holdouts["all"].counts == {
        "all": {"users": 2, "relevant": 3},
        "new": {"users": 1, "relevant": 1},
        "cold_users": {"users": 1, "relevant": 1},
        "cold_items": {"users": 1, "relevant": 1},
    }
    assert holdouts["all"].now.tolist() == [5 * DAY] * 2
    assert len(holdouts["all"].histories) == 5
    assert holdouts["all"].histories.of(2).item.tolist() == [2]
    assert [holdouts[task].excludes_seen for task in ("all", "new")] == [False, True]


def test_validation_knows_only_training():
    rows = [*ROWS[:3], (0, 1, 3, 1), (0, 0, 3, 1), *ROWS[4:]]
    holdout = Holdout.from_events(events_of(rows), 1, cut=2 * DAY, **SIZES)
    assert relevant(holdout) == {0: [0, 1]}
    assert holdout.histories.of(1).item.tolist() == [1]


def test_leave_one_out_does_not_give_the_time_away():
    rows = [(0, 0, 0, 0), (1, 1, 3, 0), (0, 1, 4, 1), (1, 0, 9, 1), (0, 2, 50, 2), (1, 0, 60, 2)]
    holdout = Holdout.from_events(events_of(rows), 2, cut=None, **SIZES)
    assert holdout.now.tolist() == [4 * DAY + 1, 9 * DAY + 1][1:]
    assert relevant(holdout) == {1: [0]}


def test_kinds_and_values_decide_what_is_relevant():
    rows = [(0, 0, 0, 0), (0, 1, 0, 0), (0, 2, 0, 0), (0, 0, 5, 2, 1, 5), (0, 1, 5, 2, 0, 5), (0, 2, 5, 2, 1, 2)]
    assert relevant(Holdout.from_events(events_of(rows), 2, cut=DAY, kinds=[1], **SIZES)) == {0: [0, 2]}
    assert relevant(Holdout.from_events(events_of(rows), 2, cut=DAY, minimum_value=4, **SIZES)) == {0: [0, 1]}


def test_empty_split_and_unknown_task_are_clear_errors():
    with pytest.raises(DataError, match="no events"):
        Holdout.from_events(events_of(ROWS[:3]), 2, cut=DAY, **SIZES)
    with pytest.raises(DataError, match="no such task"):
        Holdout.from_events(events_of(ROWS), 2, cut=DAY, task="old", **SIZES)  # type: ignore[arg-type]


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_every_pair_of_the_target_is_in_one_place(seed):
    generator = np.random.default_rng(seed)
    rows = [tuple(row) for row in np.sort(generator.integers(0, 5, (30, 3)), axis=0)]
    rows = [(int(u), int(i), day, int(day >= 15) * 2) for day, (u, i, _) in enumerate(generator.permutation(rows))]
    events = events_of(rows)
    holdouts = Holdout.by_task(events, 2, cut=15 * DAY, **SIZES)
    pairs = {(u, i) for u, i, _, split in rows if split == 2}
    known_users, known_items = {r[0] for r in rows if r[3] == 0}, {r[1] for r in rows if r[3] == 0}
    seen = {(r[0], r[1]) for r in rows if r[3] == 0}
    warm = {(u, i) for u, i in pairs if u in known_users and i in known_items}

    def listed(task):
        return {(u, i) for u, items in relevant(holdouts[task]).items() for i in items}

    assert listed("all") == warm
    assert listed("new") == warm - seen
    assert listed("cold_users") == {(u, i) for u, i in pairs if u not in known_users and i in known_items}
    assert listed("cold_items") == {(u, i) for u, i in pairs if u in known_users and i not in known_items}
