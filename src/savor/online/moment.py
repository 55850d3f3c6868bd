"""The present moment in microseconds, for what must be put in order within a second."""

import time
from collections.abc import Callable

Microclock = Callable[[], int]
"""A function that returns the present moment in whole UTC microseconds since the epoch."""

MICROSECONDS = 1_000_000
"""In one second."""


def wall_microclock() -> int:
    """The machine's own time, UTC microseconds since the epoch."""
    return time.time_ns() // 1000
