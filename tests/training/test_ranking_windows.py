import numpy as np
import pytest

from savor.core.errors import TrainingError
from savor.data.events import Events
from savor.data.splits import TEST, TRAIN, VALIDATION
from savor.training.ranking_options import RankingOptions
from savor.training.ranking_windows import ranking_windows

DAY = 86_400


def log(days: int, split: np.ndarray | None = None, users: int = 1) -> Events:
    time = np.arange(days, dtype=np.int64) * DAY
    number = len(time)
    return Events(
        (np.arange(number) % users).astype(np.int32),
        np.arange(number, dtype=np.int32),
        time,
        np.zeros(number, np.uint8),
        np.ones(number, np.float32),
        np.full(number, np.nan, np.float32),
        np.full(number, -1, np.int64),
        np.zeros(number, np.uint8) if split is None else split.astype(np.uint8),
    )


TEMPORAL = {"method": "temporal", "validation_start": 80 * DAY, "test_start": 90 * DAY, "data_end": 100 * DAY}


def test_windows_end_where_the_test_begins_and_know_only_what_came_before() -> None:
    events = log(100)
    windows = ranking_windows(events, TEMPORAL, RankingOptions(windows=3, step_days=5))
    assert [window.now // DAY for window in windows] == [80, 75, 70]
    for window in windows:
        assert events.time[window.known].max() < window.now
        assert events.time[window.labels].min() == window.now
        assert events.time[window.labels].max() == window.now + 9 * DAY
        assert not (window.known & window.labels).any()
    assert events.time[windows[0].labels].max() < TEMPORAL["test_start"]


def test_for_validation_everything_ends_before_validation() -> None:
    events = log(100)
    windows = ranking_windows(events, TEMPORAL, RankingOptions(windows=2), target=VALIDATION)
    assert all(events.time[window.labels].max() < 80 * DAY for window in windows)


def test_too_little_time_says_what_to_set() -> None:
    with pytest.raises(TrainingError, match=r"ranking\.window_days"):
        ranking_windows(log(100), TEMPORAL, RankingOptions(window_days=60))


def test_without_a_moment_the_split_before_gives_the_labels() -> None:
    split = np.array([TRAIN, TRAIN, TRAIN, TRAIN, VALIDATION, VALIDATION, TEST, TEST])
    events = log(8, split, users=2)
    (window,) = ranking_windows(events, {"method": "leave_one_out"}, RankingOptions())
    assert window.known.tolist() == [True] * 4 + [False] * 4
    assert window.labels.tolist() == [False] * 4 + [True] * 2 + [False] * 2
    (window,) = ranking_windows(events, {"method": "leave_one_out"}, RankingOptions(), target=VALIDATION)
    assert window.labels.tolist() == [False, False, True, True] + [False] * 4
    assert window.known.tolist() == [True, True] + [False] * 6
