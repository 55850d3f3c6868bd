"""Where "now" comes from, so that tests and replays can decide it."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""A function that returns the present moment in whole UTC seconds since the epoch."""


def wall_clock() -> int:
    """The machine's own time, UTC seconds since the epoch."""
    return int(time.time())


def frozen_clock(moment: int) -> Clock:
    """A clock that always shows `moment` (UTC seconds): for replays, tests and historical data."""
    return lambda: moment
