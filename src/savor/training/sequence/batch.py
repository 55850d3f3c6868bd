"""Windows as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import Histories
from savor.training.sequence.windows import Windows


@dataclass(frozen=True)
class Batch:
    """B windows, newest event first, padded at the old end to the longest, T.

    Attributes:
        item: (B, T) int32 items looked at; -1 where there is none.
        target: (B, T) int32, what is to be predicted from `item[:, t:]`; -1 where nothing is.
        seconds: (B, T) int32, age of the items at the moment of the newest prediction.
    """

    item: NDArray[np.int32]
    target: NDArray[np.int32]
    seconds: NDArray[np.int32]

    @classmethod
    def of(
        cls,
        histories: Histories,
        windows: Windows,
        chosen: NDArray[np.int64],
        reach: NDArray[np.int64] | None = None,
        rng: np.random.Generator | None = None,
    ) -> "Batch":
        """The arrays of some windows.

        Args:
            histories: what the windows are of.
            windows: all of the pass.
            chosen: (B,) numbers of windows.
            reach: (N,) as `windows.reach` gives it: the target is drawn from the events between the next one and there;
                None: it is the next one.
            rng: draws; needed with `reach`.
        """
        start, stop, tokens = windows.start[chosen], windows.stop[chosen], windows.tokens[chosen]
        place = np.arange(int(tokens.max()))
        position = stop[:, None] - 2 - place
        present = position >= start[:, None]
        wanted = place < tokens[:, None]
        following = np.where(wanted, position + 1, 0)
        if reach is not None and rng is not None:
            following = rng.integers(following, np.maximum(reach[following], following + 1))
        known = np.where(present, position, 0)
        age = histories.time[stop - 1][:, None] - histories.time[known]
        return cls(
            np.where(present, histories.item[known], -1).astype(np.int32),
            np.where(wanted, histories.item[following], -1).astype(np.int32),
            np.where(present, np.clip(age, 0, np.iinfo(np.int32).max), 0).astype(np.int32),
        )
