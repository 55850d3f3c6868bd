"""Questions and answers small enough to work out by hand."""

import numpy as np

from savor.data.histories import Histories
from savor.export.questions import Questions
from savor.export.server_lists import Lists
from savor.features.columns import Columns
from savor.features.profiles import Profiles


def questions(wanted: list[list[int]], items: int = 10) -> Questions:
    """One question a list; nobody did anything before."""
    number = len(wanted)
    none = np.empty(0, np.int64)
    histories = Histories(
        np.zeros(number + 1, np.int64),
        none.astype(np.int32),
        none,
        none.astype(np.uint8),
        none.astype(np.float32),
        none.astype(np.float32),
        none,
    )
    return Questions(
        np.arange(number, dtype=np.int32),
        np.full(number, 100, np.int64),
        histories,
        Profiles([f"u{row}" for row in range(number)], Columns({}, {}, {})),
        np.cumsum([0, *map(len, wanted)]).astype(np.int64),
        np.asarray([item for items in wanted for item in items], np.int32),
        np.arange(items, dtype=np.int32),
        False,
        np.empty(0, np.int32),
    )


def lists(*rows: list[int]) -> Lists:
    """Items, best first; scores fall by one."""
    items = np.asarray(rows, np.int32)
    return Lists(items, np.where(items >= 0, 10.0 - np.arange(items.shape[1]), -np.inf).astype(np.float32))
