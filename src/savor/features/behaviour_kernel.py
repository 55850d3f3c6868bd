"""The inputs of one user that come from what they did, compiled. Import it when they are to be made: it compiles."""

import numpy as np
from numpy.typing import NDArray

from savor.core.compiled import compiled


@compiled("int32[1]", "int64[1]", "int64[1]", "int64", "int64", "int64", "int64", "int64", "int32[1]", "int32[1]")
def last_events(
    item: NDArray[np.int32],
    time: NDArray[np.int64],
    basket: NDArray[np.int64],
    end: int,
    now: int,
    length: int,
    session_length: int,
    pause: int,
    item_codes: NDArray[np.int32],
    category_codes: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """The last events before `end` and those of the session that goes on, newest first, then 0.

    Args:
        item: (n,) rows of the catalogue, oldest first.
        time: (n,) UTC seconds.
        basket: (n,) -1 for none.
        end: how many of the events are known.
        now: UTC seconds.
        length: L, how many are wanted.
        session_length: S, of the session.
        pause: longest in a session, in seconds.
        item_codes: (I,) items outside it have the code 0.
        category_codes: likewise.

    Returns:
        (1, L) codes of items and of categories, (1, L) int64 ages in seconds (-1 where there is no event), and (1, S)
        codes of items and of categories.
    """
    items, categories = np.zeros((1, length), np.int32), np.zeros((1, length), np.int32)
    ages = np.full((1, length), -1, np.int64)
    for place in range(min(length, end)):
        row = item[end - 1 - place]
        if 0 <= row < len(item_codes):
            items[0, place] = item_codes[row]
        if 0 <= row < len(category_codes):
            categories[0, place] = category_codes[row]
        ages[0, place] = max(now - time[end - 1 - place], 0)
    of_session, kinds = np.zeros((1, session_length), np.int32), np.zeros((1, session_length), np.int32)
    for place in range(min(session_length, end)):
        at = end - 1 - place
        if place == 0:
            linked = now - time[at] <= pause
        else:
            linked = time[at + 1] - time[at] <= pause or (basket[at + 1] == basket[at] and basket[at] >= 0)
        if not linked:
            break
        row = item[at]
        if 0 <= row < len(item_codes):
            of_session[0, place] = item_codes[row]
        if 0 <= row < len(category_codes):
            kinds[0, place] = category_codes[row]
    return items, categories, ages, of_session, kinds
