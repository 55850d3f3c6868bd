"""Which items each example of a batch is held against, as arrays for the loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import Histories
from savor.training.losses.hidden import HIDDEN
from savor.training.negatives.pools import PooledNegatives
from savor.training.negatives.uniform import UniformNegatives
from savor.training.retrieval_examples import RetrievalExamples

SMALLEST = 1e-12
"""Chances below this count as this."""


@dataclass(frozen=True)
class Candidates:
    """The V items that a batch of B examples needs vectors of, and what is added to which score.

    Attributes:
        items: (V,) int32, each once.
        shared: C; the first C of `items`, in rising order, are candidates of all examples.
        bias: (C,) float32, added to the scores of the shared candidates.
        positive: (B,) int32, position in `items` of what each example chose.
        positive_bias: (B,) float32, added to its score.
        inside: whether the positive is among the shared candidates.
        pairs: (P, 2) int32, example and shared candidate, some twice.
        pair_bias: (P,) float32, added to the scores at `pairs`: `HIDDEN` for what must not count.
        own: (B, M) int32, positions in `items` of the negatives that only one example has.
        own_bias: (B, M) float32, added to their scores; `HIDDEN` where there is none.
    """

    items: NDArray[np.int32]
    shared: int
    bias: NDArray[np.float32]
    positive: NDArray[np.int32]
    positive_bias: NDArray[np.float32]
    inside: bool
    pairs: NDArray[np.int32]
    pair_bias: NDArray[np.float32]
    own: NDArray[np.int32]
    own_bias: NDArray[np.float32]


@dataclass(frozen=True)
class CandidateMaker:
    """Puts negatives of several kinds together.

    Every item stands once among the shared candidates, with the log of how often it was drawn added to its score, which
    gives the same softmax as its repetitions would. What an example chose in its basket is hidden from it.

    With `corrected`, the log of the expected number of draws Q is taken off. Shared candidates are drawn by the batch
    and uniformly: `Q = B p + M / I`. Negatives from pools are drawn `M / size` times, summed over the pools that have
    the item; the shared candidates that are in a pool of an example are hidden from it, so that the pools and the rest
    are two strata, each estimated by itself. The positive's score loses the log of its Q among the shared candidates
    (Yi et al. 2019).

    Attributes:
        histories: those the examples were made with.
        number_of_items: I.
        in_batch: whether the items of the batch are shared candidates.
        everything: whether all items are, as for the full softmax; then nothing is drawn.
        uniform: drawn for all examples alike; None for none.
        pools: drawn for each example.
        repeated: whether the number of draws counts; a loss that is not a softmax takes each distinct item once.
        corrected: whether Q is taken off.
        without: number of the kind of events that do not choose; None for none.
    """

    histories: Histories
    number_of_items: int
    in_batch: bool = True
    everything: bool = False
    uniform: UniformNegatives | None = None
    pools: Sequence[PooledNegatives] = ()
    repeated: bool = True
    corrected: bool = True
    without: int | None = None

    @property
    def inside(self) -> bool:
        """Whether the positives are among the shared candidates."""
        return self.in_batch or self.everything

    def make(self, examples: RetrievalExamples, rng: np.random.Generator) -> Candidates:
        """The candidates of the B `examples`."""
        number, inside = self.number_of_items, self.inside
        shared, bias, positive_bias, repeats = self._shared(examples, rng)
        row, item = examples.basket_mates(self.histories, without=self.without)
        chosen = np.arange(len(examples)) * number + examples.item
        mates = np.concatenate([row * number + item, chosen])
        own, own_bias = self._own(examples, mates, rng)
        hidden = [mates]
        if self.corrected and not self.everything:
            hidden += [_keys(pool, examples, number)[0] for pool in self.pools]
        keys = np.concatenate(hidden)
        if inside:
            keys = keys[keys != chosen[keys // number]]
        place = np.searchsorted(shared, keys % number)
        there = np.append(shared, -1)[place] == keys % number
        pairs = np.stack([keys[there] // number, place[there]], axis=1)
        pair_bias = np.full(len(pairs), HIDDEN, np.float32)
        if inside and self.repeated and not self.everything:
            column = np.searchsorted(shared, examples.item)
            pairs = np.concatenate([pairs, np.stack([np.arange(len(examples)), column], axis=1)])
            pair_bias = np.concatenate([pair_bias, -repeats[column]])
        items, positive, own = _positions(shared, examples.item, own)
        return Candidates(
            items, len(shared), bias, positive, positive_bias, inside, pairs.astype(np.int32), pair_bias, own, own_bias
        )

    def _shared(
        self, examples: RetrievalExamples, rng: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Distinct items in rising order, their bias, that of the positives, and log of the number of draws."""
        size, probability = len(examples), examples.probability
        if self.everything:
            zeros = np.zeros(self.number_of_items, np.float32)
            return np.arange(self.number_of_items, dtype=np.int32), zeros, np.zeros(size, np.float32), zeros
        parts = [examples.item] if self.in_batch else []
        expected = np.zeros(self.number_of_items, np.float32)
        if self.in_batch:
            expected += size * probability
        if self.uniform is not None:
            drawn = self.uniform.sample(examples, rng)
            parts.append(drawn.items)
            expected += np.exp(drawn.log_q[0])
        if not parts:
            return np.empty(0, np.int32), np.empty(0, np.float32), np.zeros(size, np.float32), np.empty(0, np.float32)
        items, draws = np.unique(np.concatenate(parts), return_counts=True)
        repeats = np.log(draws).astype(np.float32) if self.repeated else np.zeros(len(items), np.float32)
        log_q = np.log(np.maximum(expected, SMALLEST)) if self.corrected else np.zeros_like(expected)
        return items, (repeats - log_q[items]).astype(np.float32), -log_q[examples.item], repeats

    def _own(
        self, examples: RetrievalExamples, mates: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """(B, M) items from the pools, -1 where there is none, and their bias."""
        if not self.pools or self.everything:
            return np.empty((len(examples), 0), np.int32), np.empty((len(examples), 0), np.float32)
        number = self.number_of_items
        drawn = np.concatenate([pool.sample(examples, rng).items for pool in self.pools], axis=1)
        keys = np.arange(len(examples))[:, None] * number + drawn
        hidden = (drawn < 0) | np.isin(keys, mates)
        if not self.corrected:
            return drawn, np.where(hidden, HIDDEN, 0).astype(np.float32)
        expected = np.zeros(drawn.shape)
        for pool in self.pools:
            pairs, size = _keys(pool, examples, number)
            order = np.argsort(pairs)
            pairs, size = np.append(pairs[order], -1), np.append(size[order], 1)
            place = np.searchsorted(pairs[:-1], keys)
            expected += np.where(pairs[place] == keys, pool.count / size[place], 0)
        return drawn, np.where(hidden, HIDDEN, -np.log(np.maximum(expected, SMALLEST))).astype(np.float32)


def _keys(
    pool: PooledNegatives, examples: RetrievalExamples, number: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(P,) example × `number` + item for all that could be drawn, and the size of its pool."""
    row, item, size = pool.pairs(examples)
    return row * number + item, size


def _positions(
    shared: NDArray[np.int32], chosen: NDArray[np.int32], own: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """All items, the shared first; where each positive and each own negative (0 for none) stands among them."""
    wanted = np.unique(np.concatenate([chosen, own[own >= 0]]))
    items = np.concatenate([shared, np.setdiff1d(wanted, shared, assume_unique=True)]).astype(np.int32)
    order = np.argsort(items, kind="stable")

    def place(rows: NDArray[np.int32]) -> NDArray[np.int32]:
        found: NDArray[np.int32] = order[np.searchsorted(items, rows, sorter=order)].astype(np.int32)
        return found

    return items, place(chosen), np.where(own >= 0, place(np.where(own >= 0, own, items[0])), 0).astype(np.int32)
