"""From the model's best items to a list."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor_edge.catalogue import EdgeCatalogue
from savor_edge.request import Request


class Choice(NamedTuple):
    """One place of a list: row, score (None where it only fills the list), and whether people choose it much."""

    row: int
    score: float | None
    popular: bool


def within_caps(items: NDArray[np.int32], n: int, catalogue: EdgeCatalogue) -> list[int]:
    """The first n positions of `items` that are within the catalogue's caps, then what was passed over, in order."""
    room: list[dict[int, int]] = [{} for _ in catalogue.caps]
    codes = [cap.codes[items].tolist() for cap in catalogue.caps]
    chosen: list[int] = []
    passed: list[int] = []
    for position in range(len(items)):
        if len(chosen) == n:
            break
        own = [column[position] for column in codes]
        free = (
            not code or taken.get(code, 0) < cap.most
            for code, taken, cap in zip(own, room, catalogue.caps, strict=True)
        )
        if not all(free):
            passed.append(position)
            continue
        chosen.append(position)
        for code, taken in zip(own, room, strict=True):
            taken[code] = taken.get(code, 0) + 1
    return (chosen + passed)[:n]


def filled(
    taken: NDArray[np.int32], allowed: NDArray[np.bool_], missing: int, catalogue: EdgeCatalogue
) -> list[Choice]:
    """At most `missing` further items that are (I,) `allowed`: popular ones, then any."""
    free = allowed.copy()
    free[taken] = False
    popular = catalogue.popular[free[catalogue.popular]][:missing]
    free[popular] = False
    others = np.flatnonzero(free)[: missing - len(popular)]
    return [Choice(row, None, True) for row in popular.tolist()] + [Choice(row, None, False) for row in others.tolist()]


def chosen(
    catalogue: EdgeCatalogue,
    request: Request,
    items: NDArray[np.int32],
    scores: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    notes: list[str],
) -> list[Choice]:
    """The list, from what the model says and then what is popular."""
    order = within_caps(items, request.number, catalogue) if request.diversity else range(len(items))
    choices = [Choice(int(items[place]), float(scores[place]), False) for place in order][: request.number]
    missing = request.number - len(choices)
    if missing:
        more = filled(items, allowed, missing, catalogue)
        if more:
            notes.append(f"filled_from_popularity: {len(more)} of the items are there for being popular only")
        choices += more
    if not choices:
        notes.append("no_eligible_items: nothing in the catalogue may be shown")
    elif len(choices) < request.number:
        notes.append(f"catalogue_exhausted: only {len(choices)} items in the catalogue may be shown")
    return choices
