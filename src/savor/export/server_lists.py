"""What the server finds: its own user tower, and exact products with its items' vectors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.export.questions import Questions
from savor.features.table_encoder import Inputs
from savor.models.litert_tower import LiteRtTower

_BATCH = 256
BARRED = np.float32(-1e9)
LEAST = np.float32(-1e8)
"""Scores below are those of barred items."""


@dataclass(frozen=True)
class Lists:
    """Answers to Q questions.

    Attributes:
        items: (Q, k) int32 positions in the rows of the export, best first, -1 for empty places.
        scores: (Q, k) float32, minus infinity there.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]


def server_vectors(tower: LiteRtTower, inputs: Inputs) -> NDArray[np.float32]:
    """(Q, D) float32 vectors of users."""
    number = len(next(iter(inputs.values())))
    parts = [
        tower({name: value[first : first + _BATCH] for name, value in inputs.items()})
        for first in range(0, number, _BATCH)
    ]
    return np.concatenate(parts).astype(np.float32, copy=False)


def server_lists(users: NDArray[np.float32], vectors: NDArray[np.float32], questions: Questions, k: int) -> Lists:
    """The k items with the largest inner products, ties by lower number.

    Args:
        users: (Q, D) float32.
        vectors: (I, D) float32 of the items of the export.
        questions: say what a list may not hold.
        k: at most I.
    """
    items = np.full((len(users), k), -1, np.int32)
    scores = np.full((len(users), k), -np.inf, np.float32)
    for number, (user, mask) in enumerate(zip(users, questions.masks(float(BARRED)), strict=True)):
        found = vectors @ user + mask
        head = np.argpartition(-found, k - 1)[:k]
        head = head[np.lexsort((head, -found[head]))]
        head = head[found[head] >= LEAST]
        items[number, : len(head)] = head
        scores[number, : len(head)] = found[head]
    return Lists(items, scores)
