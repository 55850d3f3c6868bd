"""What was shown, what people did, and which came of which."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import DataError

UNNAMED = -1
"""The list of an outcome that names none."""


def _check_lengths(table: object) -> None:
    lengths = {name: len(column) for name, column in vars(table).items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"columns must have one length, got {lengths}")


@dataclass(frozen=True)
class Lists:
    """L lists that were shown to users of one experiment.

    Attributes:
        user: (L,) int32, number of the user.
        variant: (L,) int16, number of the variant.
        time: (L,) int64, UTC seconds.
        fallback: (L,) bool, whether the list was less than usual.
        seconds: (L,) float64, time to answer.
    """

    user: NDArray[np.int32]
    variant: NDArray[np.int16]
    time: NDArray[np.int64]
    fallback: NDArray[np.bool_]
    seconds: NDArray[np.float64]

    def __post_init__(self) -> None:
        _check_lengths(self)

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True)
class Exposures:
    """E items in those lists; in one list each item stands once.

    Attributes:
        list: (E,) int64, row of `Lists`.
        item: (E,) int32.
    """

    list: NDArray[np.int64]
    item: NDArray[np.int32]

    def __post_init__(self) -> None:
        _check_lengths(self)

    def __len__(self) -> int:
        return len(self.item)


@dataclass(frozen=True)
class Outcomes:
    """O clicks and purchases, each once, in any order.

    Attributes:
        list: (O,) int64, row of the list it says it came from; `UNNAMED` where it says nothing.
        user: (O,) int32, number of the user.
        item: (O,) int32.
        time: (O,) int64, UTC seconds.
        bought: (O,) bool; False for a click.
        money: (O,) float64, 0 for clicks.
    """

    list: NDArray[np.int64]
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time: NDArray[np.int64]
    bought: NDArray[np.bool_]
    money: NDArray[np.float64]

    def __post_init__(self) -> None:
        _check_lengths(self)

    def __len__(self) -> int:
        return len(self.user)


def attribute(lists: Lists, exposures: Exposures, outcomes: Outcomes, window: float) -> NDArray[np.intp]:
    """The exposure that each outcome came of.

    An outcome that names a list belongs to that list's exposure of the item; one that names none to the last exposure
    of the item to the user. Either only if the exposure was to that user, not later, and at most `window` before.

    Args:
        lists: what `exposures` and `outcomes` refer to.
        exposures: E of them.
        outcomes: O of them.
        window: seconds.

    Returns:
        (O,) intp, positions among the exposures; -1 where there is none.
    """
    user, time = lists.user[exposures.list], lists.time[exposures.list]
    found = np.full(len(outcomes), -1, np.intp)
    for named, owner, wanted in (
        (True, exposures.list, outcomes.list),
        (False, user.astype(np.int64), outcomes.user.astype(np.int64)),
    ):
        rows = np.flatnonzero((outcomes.list != UNNAMED) == named)
        shown = len(exposures)
        both = np.concatenate([owner, wanted[rows]])
        items = np.concatenate([exposures.item, outcomes.item[rows]])
        moments = np.concatenate([time, outcomes.time[rows]])
        is_outcome = np.arange(len(both)) >= shown
        order = np.lexsort((is_outcome, moments, items, both))
        last = np.maximum.accumulate(np.where(is_outcome[order], -1, np.arange(len(order))))
        asking = is_outcome[order] & (last >= 0)
        exposure, outcome = order[last[asking]], rows[order[asking] - shown]
        fits = (
            (owner[exposure] == wanted[outcome])
            & (exposures.item[exposure] == outcomes.item[outcome])
            & (user[exposure] == outcomes.user[outcome])
            & (outcomes.time[outcome] - time[exposure] <= window)
        )
        found[outcome[fits]] = exposure[fits]
    return found
