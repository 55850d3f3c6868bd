import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.core.errors import DataError
from savor.online.experiments.outcomes import UNNAMED, Exposures, Lists, Outcomes, attribute
from savor.online.experiments.user_totals import UserTotals

WINDOW = 100


def lists(*rows):
    """User, variant, time."""
    user, variant, time = zip(*rows, strict=True) if rows else ((), (), ())
    size = len(user)
    return Lists(
        np.array(user, np.int32),
        np.array(variant, np.int16),
        np.array(time, np.int64),
        np.arange(size) == 1,
        np.full(size, 0.002),
    )


def exposures(*rows):
    """List, item."""
    shown, item = zip(*rows, strict=True) if rows else ((), ())
    return Exposures(np.array(shown, np.int64), np.array(item, np.int32))


def outcomes(*rows):
    """List, user, item, time, money (0: a click)."""
    named, user, item, time, money = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    paid = np.array(money, np.float64)
    return Outcomes(
        np.array(named, np.int64),
        np.array(user, np.int32),
        np.array(item, np.int32),
        np.array(time, np.int64),
        paid > 0,
        paid,
    )


SHOWN = lists((7, 0, 1000), (7, 0, 1050), (9, 1, 1000))
ITEMS = exposures((0, 1), (0, 2), (1, 1), (2, 1))


@pytest.mark.parametrize(
    ("outcome", "exposure"),
    [
        ((0, 7, 1, 1010, 0), 0),
        ((0, 7, 1, 1090, 5), 0),
        ((UNNAMED, 7, 1, 1090, 5), 2),
        ((UNNAMED, 7, 1, 1049, 5), 0),
        ((UNNAMED, 7, 1, 1050, 5), 2),
        ((UNNAMED, 7, 2, 1100, 5), 1),
        ((UNNAMED, 7, 2, 1101, 5), -1),
        ((0, 7, 1, 1101, 5), -1),
        ((0, 7, 1, 999, 0), -1),
        ((1, 7, 2, 1060, 0), -1),
        ((2, 7, 1, 1060, 0), -1),
        ((UNNAMED, 8, 1, 1060, 0), -1),
        ((UNNAMED, 9, 1, 1060, 0), 3),
    ],
)
def test_one_outcome(outcome, exposure):
    assert attribute(SHOWN, ITEMS, outcomes(outcome), WINDOW).tolist() == [exposure]


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10_000))
def test_many_outcomes_as_one_by_one(seed):
    generator = np.random.default_rng(seed)
    shown = lists(*zip(generator.integers(0, 3, 8), np.zeros(8, int), generator.integers(0, 60, 8), strict=True))
    pairs = {(int(a), int(b)) for a, b in zip(generator.integers(0, 8, 20), generator.integers(0, 4, 20), strict=True)}
    items = exposures(*sorted(pairs))
    rows = [(int(generator.integers(-1, 8)), *map(int, generator.integers(0, (3, 4, 90))), 1.0) for _ in range(15)]
    found = attribute(shown, items, outcomes(*rows), 30)
    for (named, user, item, time, _), exposure in zip(rows, found.tolist(), strict=True):
        fits = [
            (int(shown.time[one]), number)
            for number, (one, what) in enumerate(zip(items.list.tolist(), items.item.tolist(), strict=True))
            if what == item
            and shown.user[one] == user
            and named in (UNNAMED, one)
            and 0 <= time - shown.time[one] <= 30
        ]
        if not fits:
            assert exposure == -1
        else:
            assert (int(shown.time[items.list[exposure]]), exposure) in fits
            assert shown.time[items.list[exposure]] == max(fits)[0]


def test_totals_by_hand():
    happened = outcomes(
        (0, 7, 1, 1010, 0),
        (0, 7, 1, 1011, 0),
        (0, 7, 2, 1012, 0),
        (UNNAMED, 7, 1, 1060, 5),
        (UNNAMED, 7, 8, 1070, 3),
        (UNNAMED, 7, 8, 999, 100),
        (UNNAMED, 7, 8, 1101, 100),
        (UNNAMED, 8, 1, 1060, 50),
    )
    totals = UserTotals.of(SHOWN, ITEMS, happened, WINDOW)
    assert totals.user.tolist() == [7, 9]
    assert totals.variant.tolist() == [0, 1]
    assert {name: column.tolist() for name, column in totals.columns.items()} == {
        "lists": [2, 1],
        "impressions": [3, 1],
        "clicks": [2, 0],
        "purchases": [1, 0],
        "converted": [1, 0],
        "attributed_money": [5, 0],
        "money": [108, 0],
        "fallbacks": [1, 0],
        "seconds": [0.004, 0.002],
    }
    assert totals.mixed == 0


def test_users_who_saw_two_variants_are_counted_and_keep_the_first():
    shown = lists((1, 1, 20), (1, 0, 10), (2, 1, 5))
    totals = UserTotals.of(shown, exposures(), outcomes(), WINDOW)
    assert totals.variant.tolist() == [0, 1]
    assert totals.mixed == 1


def test_nothing_at_all():
    totals = UserTotals.of(lists(), exposures(), outcomes((UNNAMED, 8, 1, 1060, 50)), WINDOW)
    assert len(totals) == 0
    assert all(len(column) == 0 for column in totals.columns.values())


def test_columns_of_different_lengths():
    with pytest.raises(DataError, match="one length"):
        Exposures(np.zeros(2, np.int64), np.zeros(1, np.int32))
