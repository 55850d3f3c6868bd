"""Least shares of exposure over time."""

from collections.abc import Mapping
from threading import Lock

import numpy as np
from numpy.typing import NDArray


class ExposureController:
    """Finds the boosts under which groups get their shares of all exposure in the long run.

    After each list a group's boost moves by step * (share - exposure), and not below 0: subgradient descent on the
    dual of "most score, with these shares" (Balseiro, Lu and Mirrokni, "Dual mirror descent for online allocation
    problems", ICML 2020; as a feedback rule, Morik, Singh, Hong and Joachims, "Controlling fairness and bias in dynamic
    learning-to-rank", SIGIR 2020). With boosts that only change the order by score, no rule has these shares at less
    loss of score but for terms that vanish. After T lists the shortfall of the mean is at most boost / (step T).

    Each process has its own; where each holds the shares, all together do. Safe from several threads.

    Args:
        shares: least share of exposure by group.
        step: how far a boost moves; in units of the scores.
        most: largest boost, for groups that have too little to show.
    """

    def __init__(self, shares: Mapping[str, float], *, step: float = 0.2, most: float = 4.0) -> None:
        self._names = tuple(shares)
        self._shares = np.array(list(shares.values()), np.float64)
        self._step, self._most = step, most
        self._boosts = np.zeros(len(self._names))
        self._exposure = np.zeros(len(self._names))
        self._lists = 0
        self._lock = Lock()

    @property
    def boosts(self) -> NDArray[np.float64]:
        """(G,) float64, for the next list."""
        return self._boosts

    @property
    def lists(self) -> int:
        """How many lists it has learnt from."""
        return self._lists

    def observe(self, exposure: NDArray[np.float64]) -> None:
        """Learn from a list that was shown.

        Args:
            exposure: (G,) float64, share of each group; see `exposure_shares`.
        """
        with self._lock:
            self._boosts = np.clip(self._boosts + self._step * (self._shares - exposure), 0, self._most)
            self._exposure += exposure
            self._lists += 1

    def reached(self) -> dict[str, float]:
        """Mean share so far by group; NaN before the first list."""
        with self._lock:
            if not self._lists:
                return dict.fromkeys(self._names, float("nan"))
            return {name: float(sum_ / self._lists) for name, sum_ in zip(self._names, self._exposure, strict=True)}
