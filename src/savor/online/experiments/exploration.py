"""Lists whose order is partly drawn by chance, and with which probability each item stood where it stood."""

import hashlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from savor.online.experiments.options import ExplorationOptions
from savor.online.experiments.plackett_luce import draw_order, place_probabilities

_SPAN_FLOOR = 1e-9


class Explored(Protocol):
    """A list that may have been drawn.

    Attributes:
        positions: (n,) intp, distinct positions among the N candidates, in the order shown.
        drawn: whether chance had a part in this one.
    """

    @property
    def positions(self) -> NDArray[np.intp]:
        """(n,) intp."""

    @property
    def drawn(self) -> bool:
        """Whether chance had a part."""

    def propensities(self) -> NDArray[np.float64]:
        """(n,) float64: how probable it was, before anything was drawn, that this item stood at this place.

        That is over both chances: that the request is drawn at all, and what is drawn. May take milliseconds, so
        it is for after the answer.
        """


class AsRanked:
    """The first n candidates, where nothing is ever drawn."""

    drawn = False

    def __init__(self, n: int) -> None:
        self.positions = np.arange(n)

    def propensities(self) -> NDArray[np.float64]:
        """(n,) ones."""
        return np.ones(len(self.positions))


class Swapped:
    """One place, drawn evenly, gets an item from beyond the list, drawn evenly.

    For the list of n, of which the first `keep` stay, and m items beyond it: an item of the list stands at its own
    place with probability 1 - share / (n - keep), one from beyond at a given place with share / ((n - keep) m).
    """

    def __init__(self, n: int, pool: int, keep: int, share: float, generator: np.random.Generator | None) -> None:
        self.positions = np.arange(n)
        self.drawn = generator is not None
        self._choices, self._beyond, self._share, self._keep = n - keep, pool - n, share, keep
        self._place = -1
        if generator is not None:
            self._place = keep + int(generator.integers(self._choices))
            self.positions[self._place] = n + int(generator.integers(self._beyond))

    def propensities(self) -> NDArray[np.float64]:
        """(n,) float64, exact."""
        chances = np.full(len(self.positions), 1 - self._share / self._choices)
        chances[: self._keep] = 1
        if self.drawn:
            chances[self._place] = self._share / (self._choices * self._beyond)
        return chances


class PlackettLuce:
    """All places but the first `keep` are drawn, better items with greater probability; see `plackett_luce`."""

    def __init__(
        self, n: int, keep: int, share: float, logits: NDArray[np.float64], generator: np.random.Generator | None
    ) -> None:
        self.positions = np.arange(n)
        self.drawn = generator is not None
        self._keep, self._share, self._logits = keep, share, logits
        if generator is not None:
            self.positions[keep:] = keep + draw_order(logits, n - keep, generator)

    def propensities(self) -> NDArray[np.float64]:
        """(n,) float64, by quadrature, off by less than 1e-6."""
        places = np.arange(len(self.positions))
        chances: NDArray[np.float64] = (1 - self._share) * (self.positions == places)
        chances[: self._keep] = 1
        chosen = self.positions[self._keep :] - self._keep
        everywhere = place_probabilities(self._logits, chosen, len(chosen))
        chances[self._keep :] += self._share * everywhere[np.arange(len(chosen)), np.arange(len(chosen))]
        return chances


def explore(
    options: ExplorationOptions | None, scores: NDArray[np.float32], n: int, recommendation_id: str
) -> Explored:
    """The list to show.

    Which requests are drawn, and what is drawn, follows from `recommendation_id` alone, so that a list can be made
    again from what was logged.

    Args:
        options: None explores nothing.
        scores: (N,) float32, falling: the candidates in the order they would be shown.
        n: how many are shown; at most N.
        recommendation_id: of this list.
    """
    pool, keep = (0, 0) if options is None else (min(options.pool, len(scores)), min(options.keep, n))
    if options is None or not options.share or pool <= max(n, 1) or keep == n:
        return AsRanked(n)
    digest = hashlib.blake2b(recommendation_id.encode("utf-8", "surrogatepass"), digest_size=16, person=b"explore")
    chance, seed = np.frombuffer(digest.digest(), "<u8").tolist()
    generator = np.random.default_rng(seed) if chance < options.share * 2.0**64 else None
    if options.method == "swap":
        return Swapped(n, pool, keep, options.share, generator)
    head = scores[keep:pool].astype(np.float64)
    span = max(float(head[0] - head[-1]), _SPAN_FLOOR)
    return PlackettLuce(n, keep, options.share, head / (span * options.temperature), generator)
