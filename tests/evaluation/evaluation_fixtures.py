"""A small world for tests of evaluation."""

from typing import TypedDict

import numpy as np

from savor.data.events import Events

DAY = 86_400


class Sizes(TypedDict):
    """The sizes of a world, to be given as keywords."""

    number_of_users: int
    number_of_items: int


def events_of(rows) -> Events:
    """Events from (user, item, day, split[, kind[, value]]) tuples, in the order given."""
    size = len(rows)

    def column(place, dtype, default=0):
        return np.array([row[place] if len(row) > place else default for row in rows], dtype)

    return Events(
        column(0, np.int32),
        column(1, np.int32),
        column(2, np.int64) * DAY,
        column(4, np.uint8),
        column(5, np.float32, 1),
        np.full(size, np.nan, np.float32),
        np.full(size, -1, np.int64),
        column(3, np.uint8),
    )


ROWS = [
    (0, 0, 0, 0),
    (0, 1, 1, 0),
    (1, 1, 1, 0),
    (2, 2, 2, 1),
    (0, 1, 5, 2),
    (0, 1, 5, 2),
    (0, 2, 6, 2),
    (0, 4, 6, 2),
    (1, 1, 6, 2),
    (3, 0, 7, 2),
    (3, 4, 7, 2),
]
"""Known before the test: users 0, 1, 2 and items 0, 1, 2; new in it: user 3 and item 4; user 4, item 3 never occur."""
