"""The stretches of histories that a pass over the data learns from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import Histories

DAY = 86_400


@dataclass(frozen=True)
class Windows:
    """W stretches, in each of which every event but the oldest is predicted from those before it.

    Attributes:
        start, stop: (W,) int64 positions in the histories, the oldest event and one past the newest.
        tokens: (W,) int64, how many predictions each holds. Where a stretch begins with the user's first event, that is
            predicted too, from nothing, so that people without a history get a vector.
    """

    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    tokens: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def draw(cls, histories: Histories, length: int, share: float, rng: np.random.Generator) -> "Windows":
        """One stretch per user with events: with chance `share` from a random place, else the end.

        Args:
            histories: events by user.
            length: most events that a prediction may look at.
            share: in [0, 1].
            rng: decides.
        """
        begin, end = histories.indptr[:-1], histories.indptr[1:]
        begin, end = begin[end > begin], end[end > begin]
        surplus = np.maximum(end - begin - (length + 1), 0)
        back = np.where(rng.random(len(end)) < share, rng.integers(0, surplus + 1), 0)
        stop = end - back
        start = np.maximum(begin, stop - length - 1)
        tokens = np.minimum(stop - start, length)
        return cls(start, stop, tokens)

    def batches(self, size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Numbers of windows, gathered by like length so that little is padded, in random order.

        Args:
            size: most tokens of a batch, padding included; a longer window is a batch of its own.
            rng: decides.
        """
        # Lengths within about a sixth of one another are alike; which of them come together changes from pass to pass.
        coarse = np.floor(6 * np.log(self.tokens) + rng.random(len(self)))
        order = np.lexsort((rng.random(len(self)), coarse))
        batches, first, longest = [], 0, 0
        for place, tokens in enumerate(self.tokens[order]):
            widest = max(longest, int(tokens))
            if place > first and widest * (place - first + 1) > size:
                batches.append(order[first:place])
                first, widest = place, int(tokens)
            longest = widest
        batches.append(order[first:])
        return [batches[number] for number in rng.permutation(len(batches))]


def reach(histories: Histories, days: float) -> NDArray[np.int64]:
    """(N,) int64, for each event one past the last event of the same user that is within `days` after it."""
    if len(histories.time) == 0:
        return np.zeros(0, np.int64)
    user = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    time = histories.time - histories.time.min()
    span = int(time.max()) + 1
    ahead = np.minimum(time + int(days * DAY), span - 1)
    found: NDArray[np.int64] = np.searchsorted(user * span + time, user * span + ahead, "right").astype(np.int64)
    return found
