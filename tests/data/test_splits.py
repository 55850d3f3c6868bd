"""Splits: properties that must hold for any events."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from savor.core.errors import DataError
from savor.data.events import Events
from savor.data.splits import TEST, TRAIN, VALIDATION, SplitOptions, temporal_cuts
from tests.data.workbench import Workbench

FEW = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 400)), min_size=3, max_size=40)


def write(workbench: Workbench, rows: list[tuple[int, int, int]], extra: list[str] | None = None) -> None:
    tails = ["," + value for value in extra] if extra else [""] * len(rows)
    lines = [f"u{u},i{i},{1_700_000_000 + t}{tail}" for (u, i, t), tail in zip(rows, tails, strict=True)]
    head = "user,item,time" + (",part" if extra else "")
    workbench.write("events.csv", "\n".join([head, *lines]) + "\n")


@given(st.integers(0, 2**31), st.integers(0, 2**31), st.floats(0, 0.5), st.floats(0, 0.49))
def test_cuts_are_in_order_and_within_the_data(start: int, span: int, test: float, validation: float) -> None:
    cuts = temporal_cuts(start, start + span, SplitOptions(test=test, validation=validation))
    assert start <= cuts[0] <= cuts[1] <= start + span


@FEW
@given(EVENTS)
def test_temporal_splits_follow_time(workbench: Workbench, rows: list[tuple[int, int, int]]) -> None:
    write(workbench, [*rows, (0, 0, 0), (0, 1, 1000)])
    dataset = workbench.ingest()
    events, split = dataset.events, dataset.split
    span = int(events.time[-1] - events.time[0])
    assert split["test_start"] == events.time[0] + int(0.9 * span)
    np.testing.assert_array_equal(events.split == TEST, events.time >= split["test_start"])
    np.testing.assert_array_equal(events.split >= VALIDATION, events.time >= split["validation_start"])
    assert sum(split["counts"].values()) == len(events)


@FEW
@given(EVENTS)
def test_leave_one_out_takes_the_last_two_of_each_user(workbench: Workbench, rows: list[tuple[int, int, int]]) -> None:
    rows = [*rows, (9, 0, 5), (9, 1, 5), (9, 2, 5), (8, 0, 1), (8, 1, 2)]
    write(workbench, rows)
    dataset = workbench.ingest(split=SplitOptions(method="leave_one_out"))
    events = dataset.events
    for user in range(len(dataset.users)):
        parts = events.split[events.user == user].tolist()
        expected = [TRAIN] * (len(parts) - 2) + [VALIDATION, TEST] if len(parts) >= 3 else [TRAIN] * len(parts)
        assert parts == expected
    tied = events.select(events.user == dataset.user_ids.tolist().index("u9"))
    assert [dataset.item_ids[item] for item in tied.item] == ["i0", "i1", "i2"]
    assert (dataset.split["validation_start"], dataset.split["test_start"]) == (None, None)


def test_a_given_column(workbench: Workbench) -> None:
    write(workbench, [(0, n, n) for n in range(6)], ["Train", "train", "VAL", "valid", "test", "test"])
    dataset = workbench.ingest(split=SplitOptions(method="column"), events={"split": "part"})
    assert dataset.events.split.tolist() == [0, 0, 1, 1, 2, 2]
    assert dataset.split["test_start"] == 1_700_000_004
    write(workbench, [(0, n, n) for n in range(6)], ["test", "train", "val", "valid", "train", "test"])
    dataset = workbench.ingest(split=SplitOptions(method="column"), events={"split": "part"})
    assert dataset.split["test_start"] is None


def test_an_unknown_name_in_the_column_is_a_fault(workbench: Workbench) -> None:
    write(workbench, [(0, n, n) for n in range(3)], ["train", "train", "holdout"])
    dataset = workbench.ingest(split=SplitOptions(method="column"), events={"split": "part"}, max_quarantine_share=0.5)
    assert len(dataset.events) == 2
    assert workbench.quarantine()[0]["reason"] == "unknown split"


def test_a_column_split_needs_a_column(workbench: Workbench) -> None:
    write(workbench, [(0, 0, 0)])
    with pytest.raises(DataError, match="names no `split` column"):
        workbench.ingest(split=SplitOptions(method="column"))


def test_the_hash_tells_splits_of_the_same_events_apart(workbench: Workbench) -> None:
    write(workbench, [(n % 3, n, n * n) for n in range(30)])
    hashes = {
        workbench.ingest(split=split).split["hash"]
        for split in (SplitOptions(), SplitOptions(test=0.2), SplitOptions(method="leave_one_out"))
    }
    assert len(hashes) == 3


def test_nothing_left_to_train_on(workbench: Workbench) -> None:
    write(workbench, [(0, n, 0) for n in range(5)])
    with pytest.raises(DataError, match="leaves no event for training"):
        workbench.ingest()
    with pytest.raises(ValidationError, match="nothing to train on"):
        SplitOptions(test=0.6, validation=0.5)


def test_events_must_have_one_length() -> None:
    column = np.zeros(2)
    with pytest.raises(DataError, match="one length"):
        Events(column, column, column, column, column, column, column, np.zeros(3))  # type: ignore[arg-type]


def test_a_random_split_follows_from_the_seed_alone(workbench: Workbench) -> None:
    write(workbench, [(u, i, 40 * u + i) for u in range(40) for i in range(25)])
    options = SplitOptions(method="random", test=0.2, validation=0.1, seed=3)
    first = workbench.ingest(split=options)
    parts = first.events.split
    shares = np.bincount(parts, minlength=3) / len(parts)
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.05)
    assert (first.split["validation_start"], first.split["test_start"]) == (None, None)
    again = workbench.ingest(split=options)
    np.testing.assert_array_equal(again.events.split, parts)
    assert again.split["hash"] == first.split["hash"]
    other = workbench.ingest(split=options.model_copy(update={"seed": 4}))
    assert (other.events.split != parts).any()
