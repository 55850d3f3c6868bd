"""Moments in the past at which the ranker learns what was chosen next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.data.events import Events
from savor.data.splits import TEST, TRAIN, VALIDATION
from savor.evaluation.holdout import Holdout
from savor.training.ranking_options import RankingOptions

DAY = 86_400


@dataclass(frozen=True)
class RankingWindow:
    """What was known at a moment, and what came after.

    Attributes:
        known: (N,) bool over all events: what retrieval, statistics and histories may use.
        now: UTC seconds, later than every known event.
        labels: (N,) bool over all events: what was chosen in the window.
        cut: `now` where all questions are asked at one moment, None where each user has a moment of their own.
    """

    known: NDArray[np.bool_]
    now: int
    labels: NDArray[np.bool_]
    cut: int | None

    def holdout(
        self,
        events: Events,
        number_of_users: int,
        number_of_items: int,
        *,
        kinds: Sequence[int] | None = None,
        minimum_value: float | None = None,
    ) -> Holdout:
        """The questions of the window: users and items known before it; `kinds` and `minimum_value` as in `Holdout`."""
        split = np.where(self.known, TRAIN, np.where(self.labels, VALIDATION, TEST)).astype(np.uint8)
        return Holdout.from_events(
            replace(events, split=split),
            VALIDATION,
            number_of_users=number_of_users,
            number_of_items=number_of_items,
            cut=self.cut,
            kinds=kinds,
            minimum_value=minimum_value,
        )

    def values(self, events: Events, number_of_items: int) -> Callable[..., NDArray[np.float32]]:
        """From (N,) user and (N,) item rows to each pair's latest value in the window, (N,) float32; NaN for none."""
        rows = np.flatnonzero(self.labels)
        keys = events.user[rows].astype(np.int64) * number_of_items + events.item[rows]
        known, last = np.unique(keys[::-1], return_index=True)
        value = events.value[rows][::-1][last]

        def of(user: NDArray[np.int32], item: NDArray[np.int32]) -> NDArray[np.float32]:
            asked = user.astype(np.int64) * number_of_items + item
            place = np.minimum(np.searchsorted(known, asked), max(len(known) - 1, 0))
            if not len(known):
                return np.full(len(asked), np.nan, np.float32)
            return np.where(known[place] == asked, value[place], np.nan).astype(np.float32)

        return of


def ranking_windows(
    events: Events, split: dict[str, Any], options: RankingOptions, target: int = TEST
) -> list[RankingWindow]:
    """The windows to learn from, latest first, all before the period of `target`.

    In a temporal split they are `window_days` long and `step_days` apart, the last ends where the period of `target`
    begins. In another split there is one: the events of the split before `target` are its labels.

    Raises:
        TrainingError: there is too little time before the period for one window.
    """
    if split["method"] != "temporal":
        labels = events.split == (VALIDATION if target == TEST else TRAIN)
        if target == VALIDATION or not labels.any():
            labels = _last_of_each_user(events, events.split == TRAIN)
        known = (events.split < target) & ~labels
        now = int(events.time[known].max(initial=0)) + 1
        moment = split.get("validation_start")
        if target == TEST and moment is not None:
            # A given split that follows time: all are asked at one moment, as they will be when it is evaluated.
            return [RankingWindow(known, max(now, int(moment)), labels, max(now, int(moment)))]
        return [RankingWindow(known, now, labels, None)]
    start = int(split["test_start"] if target == TEST else split["validation_start"])
    period = split["data_end"] - split["test_start"] if target == TEST else split["test_start"] - start
    length = round(options.window_days * DAY) if options.window_days else int(period)
    step = round(options.step_days * DAY) if options.step_days else length // 2
    first = int(events.time.min(initial=start))
    windows = []
    for number in range(options.windows):
        now = start - length - number * step
        known = events.time < now
        if now - first < length or not known.any():
            break
        labels = (events.time >= now) & (events.time < now + length)
        if labels.any():
            windows.append(RankingWindow(known, now, labels, now))
    if not windows:
        raise TrainingError(
            f"the data before the evaluated period spans {(start - first) / DAY:.0f} days, and the ranker needs two "
            f"windows of {length / DAY:.0f} days: set ranking.window_days lower"
        )
    return windows


def _last_of_each_user(events: Events, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) bool: the last event of each user with at least two `among` the events."""
    rows = np.flatnonzero(among)
    order = rows[np.argsort(events.user[rows], kind="stable")]
    user = events.user[order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = user[1:] != user[:-1]
    counts = np.bincount(user)
    chosen = np.zeros(len(events), np.bool_)
    chosen[order[last & (counts[user] > 1)]] = True
    return chosen
