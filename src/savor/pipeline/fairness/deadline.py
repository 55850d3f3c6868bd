"""Least shares of exposure for several groups at once."""

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.fairness.exposure import place_weights

_SLACK = 1e-12


def by_deadline(members: NDArray[np.bool_], shares: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Each place to the best item after which all groups can still get their shares.

    Whether they can is tried by giving all later places to the items that lack most, largest need first. Where that
    works from the start, it works after every place, so that all shares are met; where it does not, it is done as far
    as it goes.

    Args:
        members: (G, N) bool, items by falling score; groups may overlap.
        shares: (G,) float64, of the exposure by `place_weights`.
        n: length of the list.

    Returns:
        (N,) intp: the n chosen, then the rest as they came. Items of the same groups keep their order.
    """
    number = members.shape[1]
    places = place_weights(min(n, number)).tolist()
    kinds, kind_of = np.unique(members, axis=1, return_inverse=True)
    state = _State(
        [np.flatnonzero(column).tolist() for column in kinds.T],
        [np.flatnonzero(kind_of.ravel() == kind).tolist() for kind in range(kinds.shape[1])],
        shares.tolist(),
    )
    feasible = state.fits(places, 0)
    chosen = [state.next(places, place, feasible) for place in range(len(places))]
    rest = np.ones(number, np.bool_)
    rest[chosen] = False
    return np.concatenate([np.array(chosen, np.intp), np.flatnonzero(rest)])


class _State:
    """What was taken of each kind of item (those in the same groups), and what each group still needs."""

    def __init__(self, groups: list[list[int]], queues: list[list[int]], needs: list[float]) -> None:
        self._groups, self._queues, self._needs = groups, queues, needs
        self._taken = [0] * len(queues)

    def next(self, places: list[float], place: int, feasible: bool) -> int:
        """Take an item for this place."""
        heads = [kind for kind, queue in enumerate(self._queues) if self._taken[kind] < len(queue)]
        heads.sort(key=lambda kind: self._queues[kind][self._taken[kind]])
        if feasible:
            for kind in heads:
                before = self._take(kind, places[place])
                if self.fits(places, place + 1):
                    return self._queues[kind][self._taken[kind] - 1]
                self._undo(kind, before)
        kind = self._neediest(heads, places[place]) if max(self._needs, default=0.0) > _SLACK else heads[0]
        self._take(kind, places[place])
        return self._queues[kind][self._taken[kind] - 1]

    def fits(self, places: list[float], place: int) -> bool:
        """Whether largest need first meets all needs from this place on; changes nothing."""
        needs, taken = self._needs[:], self._taken[:]
        for weight in places[place:]:
            if max(self._needs, default=0.0) <= _SLACK:
                break
            heads = [kind for kind, queue in enumerate(self._queues) if self._taken[kind] < len(queue)]
            self._take(self._neediest(heads, weight), weight)
        met = max(self._needs, default=0.0) <= _SLACK
        self._needs, self._taken = needs, taken
        return met

    def _neediest(self, heads: list[int], weight: float) -> int:
        def lack(kind: int) -> tuple[float, float]:
            needs = [max(self._needs[group], 0.0) for group in self._groups[kind]]
            return sum(min(need, weight) for need in needs), sum(needs)

        return max(heads, key=lack)

    def _take(self, kind: int, weight: float) -> list[float]:
        before = self._needs[:]
        self._taken[kind] += 1
        for group in self._groups[kind]:
            self._needs[group] -= weight
        return before

    def _undo(self, kind: int, needs: list[float]) -> None:
        self._taken[kind] -= 1
        self._needs = needs
