"""What a device's own retrieval says of candidates, as the server's sources say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor_edge.history import History
from savor_edge.item_tables import ItemTables

DAY = 86_400


class Asked(NamedTuple):
    """One question, as retrieval sees it.

    Attributes:
        history: as of `now`.
        now: UTC seconds.
        allowed: (I,) bool, which rows may be shown.
        bonus: (I,) float32 of own items, which `recommend` added to the scores.
        number: how many items are wanted.
        exclude_seen: whether what the person had is left out.
        searched: whether what is found are the best of all that is allowed; else nothing is known of places.
    """

    history: History
    now: int
    allowed: NDArray[np.bool_]
    bonus: NDArray[np.float32]
    number: int
    exclude_seen: bool
    searched: bool = True


@dataclass(frozen=True)
class SourceColumns:
    """Fills the columns of sources that a device can answer for; the others are as of a source that brought nothing.

    Attributes:
        names: S names of columns.
        ann, buy_again, trending: how many items each source brings.
        half_life: seconds after which an event of an own item counts half.
        kinds: numbers of the kinds of events that make an item the person's own; None for all.
        tables: say what sold of late.
    """

    names: tuple[str, ...]
    ann: int
    buy_again: int
    trending: int
    half_life: float
    kinds: tuple[int, ...] | None
    tables: ItemTables

    @classmethod
    def of(cls, document: Mapping[str, Any], tables: ItemTables) -> "SourceColumns":
        """From `sources` of `ranker.json`.

        Raises:
            KeyError: something is absent.
        """
        own = document["buy_again"]
        return cls(
            tuple(document["columns"]),
            int(document["ann"]["most"]),
            int(own["most"]),
            int(document["trending"]["most"]),
            float(own["half_life_days"]) * DAY,
            None if own["kinds"] is None else tuple(own["kinds"]),
            tables,
        )

    def compute(self, asked: Asked, rows: NDArray[np.int32], scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, S) float32 of what `recommend` found.

        Args:
            asked: the question.
            rows: (N,) best first.
            scores: (N,) float32 with the bonus.
        """
        product = scores - asked.bonus[rows]
        columns = {"vector_fit": product}
        columns["ann_score"], columns["ann_rank"] = self._nearest(asked, product, scores)
        columns["buy_again_score"], columns["buy_again_rank"] = _placed(rows, *self._own(asked))
        columns["trending_score"], columns["trending_rank"] = _placed(rows, *self._sold(asked))
        unknown = np.full(len(rows), np.nan, np.float32)
        made = [columns.get(name, unknown) for name in self.names]
        return np.stack(made, axis=1) if made else np.empty((len(rows), 0), np.float32)

    def _nearest(
        self, asked: Asked, product: NDArray[np.float32], scores: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Inner products and their places, for what would have been found without a bonus."""
        score, rank = np.full((2, len(product)), np.nan, np.float32)
        if not asked.searched or not len(product):
            return score, rank
        # A product below the last score may have others above it that were not found.
        least = scores.min() if len(scores) < np.count_nonzero(asked.allowed) else -np.inf
        order = np.argsort(-product, kind="stable")
        order = order[product[order] >= least][: max(self.ann, asked.number)]
        score[order], rank[order] = product[order], np.arange(1, len(order) + 1)
        return score, rank

    def _own(self, asked: Asked) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The person's own items, those that count most first, with what they count."""
        history, items = asked.history, len(asked.allowed)
        if asked.exclude_seen:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        counted = history.item < items
        if self.kinds is not None:
            counted &= np.isin(history.kind, self.kinds)
        own, place = np.unique(history.item[counted], return_inverse=True)
        decayed = 2.0 ** ((history.time[counted] - asked.now) / self.half_life)
        weight = np.bincount(place, decayed, minlength=len(own)).astype(np.float32)
        order = np.argsort(-weight, kind="stable")
        order = order[asked.allowed[own[order]]][: max(self.buy_again, asked.number)]
        return own[order], weight[order]

    def _sold(self, asked: Asked) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """What sold most of late, with how much."""
        rows = self.tables.trending_item
        chosen = np.flatnonzero(asked.allowed[rows])[: max(self.trending, asked.number)]
        return rows[chosen].astype(np.int32), self.tables.trending[chosen].astype(np.float32)


def _placed(
    rows: NDArray[np.int32], brought: NDArray[np.int32], values: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For each of N rows what a source says of it, and its place from 1 among what the source brought; else NaN."""
    score, rank = np.full((2, len(rows)), np.nan, np.float32)
    same = rows[:, None] == brought[None, :]
    known = same.any(axis=1)
    place = same[known].argmax(axis=1) if len(brought) else np.empty(0, np.intp)
    score[known], rank[known] = values[place], place + 1
    return score, rank
