"""The best items for one question: what the model finds, in the order of the ranker where there is one."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor_edge.bundle import EdgeBundle
from savor_edge.edge_model import BARRED, LEAST, Found
from savor_edge.eligibility import model_mask
from savor_edge.errors import EdgeError
from savor_edge.source_columns import Asked

MODEL, RANKER = "edge_model", "ranker"


class Search(NamedTuple):
    """What came of a question.

    Attributes:
        items: (N,) int32 rows, best first.
        scores: (N,) float32 of what decided their order.
        scorer: which that was: `edge_model` or `ranker`.
        found: the same rows as the model has them.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    scorer: str
    found: Found


def search(
    bundle: EdgeBundle, inputs: Mapping[str, NDArray[Any]], asked: Asked, scenario: str, notes: list[str]
) -> Search:
    """At least as many of the allowed rows as are asked for, as far as there are so many; notes say what failed."""
    found = _found(bundle, inputs, asked, notes)
    if bundle.ranker is not None and len(found.items):
        try:
            ranked = bundle.ranker.rank(asked, scenario, inputs, found.items, found.scores)
            return Search(ranked.items, ranked.scores, RANKER, found)
        except EdgeError as error:
            notes.append(f"ranker_failed: {error}; the model alone decides")
    return Search(found.items, found.scores, MODEL, found)


def _found(bundle: EdgeBundle, inputs: Mapping[str, NDArray[Any]], asked: Asked, notes: list[str]) -> Found:
    """The model gives k at a time."""
    mask = model_mask(asked.allowed, asked.bonus)
    items, scores = np.empty(0, np.int32), np.empty(0, np.float32)
    try:
        while True:
            found = bundle.model(inputs, mask)
            shown = found.scores > LEAST
            items, scores = np.append(items, found.items[shown]), np.append(scores, found.scores[shown])
            if len(items) >= asked.number or not shown.all():
                break
            mask[found.items] = BARRED
    except EdgeError as error:
        notes.append(f"model_failed: {error}; what is popular decides")
    return Found(items, scores)
