"""Whether the device makes of the same person and the same items what the server makes of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import ExportError
from savor.export.questions import Questions
from savor.features.catalogue import Catalogue
from savor.features.table_encoder import Inputs
from savor_edge.catalogue import EdgeCatalogue
from savor_edge.features import EdgeFeatures

_TOLERANCE = 1e-6


def check_catalogue(folder: Path, catalogue: Catalogue, rows: NDArray[np.int32]) -> EdgeCatalogue:
    """The catalogue in `folder`, which must be that of `rows` of the server's.

    Raises:
        ExportError: it has other items, or says something else of one (code `catalogue_stale`).
    """
    found = EdgeCatalogue.open(folder)
    if len(found) != len(rows):
        raise _stale(f"it has {len(found)} items, and {len(rows)} are exported")
    expected = [catalogue.ids[row] for row in rows.tolist()]
    for row, (own, given) in enumerate(zip(expected, found.ids, strict=True)):
        if own != given:
            raise _stale(f"row {row} is item {given!r} on the device and {own!r} on the server")
    pairs: tuple[tuple[str, NDArray[Any], NDArray[Any]], ...] = (
        ("the price", catalogue.price[rows], found.price),
        ("whether it is in stock", catalogue.in_stock[rows], found.in_stock),
    )
    for label, ours, theirs in pairs:
        different = np.flatnonzero(~np.isclose(ours, theirs, equal_nan=True))
        if len(different):
            row = int(different[0])
            raise _stale(
                f"{label} of item {expected[row]!r} is {theirs[row]} on the device and {ours[row]} on the server "
                f"({len(different)} items differ so)"
            )
    return found


def device_inputs(
    folder: Path, edge: EdgeCatalogue, questions: Questions, ids: Sequence[str], server: Inputs
) -> Inputs:
    """The inputs of the model as the device makes them, which must be the server's.

    Args:
        folder: with `features.json`.
        edge: the catalogue beside it.
        questions: whose inputs.
        ids: of all items of the server, by row.
        server: (Q, …) what the server makes.

    Raises:
        ExportError: one differs; names the input, the person and both values (code `vocabulary_wrong`).
    """
    features = EdgeFeatures.open(folder, edge)
    made: dict[str, list[NDArray[Any]]] = {name: [] for name in features.signature}
    for question, (user_id, profile, events, now) in enumerate(people(questions, ids)):
        found = features.inputs(events, profile, now, user_id)
        for name, parts in made.items():
            own, given = server[name][question], found[name][0]
            same = np.array_equal(own, given) if given.dtype.kind == "i" else np.allclose(own, given, atol=_TOLERANCE)
            if not same:
                raise _other_input(name, user_id, own, given)
            parts.append(found[name])
    return {name: np.concatenate(parts) for name, parts in made.items()}


def people(questions: Questions, ids: Sequence[str]) -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]], int]]:
    """Id, profile, events and moment of each question, as an app would hold them."""
    kinds = questions.kinds
    for user, now in zip(questions.users.tolist(), questions.now.tolist(), strict=True):
        history, profile = questions.histories.of(user), questions.profiles.of(user)
        columns = [getattr(history, name).tolist() for name in ("item", "time", "kind", "basket", "value", "price")]
        events = [
            {
                "item_id": ids[item],
                "time": time,
                "kind": kinds[kind] if kind < len(kinds) else str(kind),
                "basket_id": str(basket) if basket >= 0 else None,
                "value": value,
                "price": None if price != price else price,
            }
            for item, time, kind, basket, value, price in zip(*columns, strict=True)
        ]
        said = {**profile.categories, **{name: list(tags) for name, tags in profile.tags.items()}, **profile.numerics}
        yield profile.id, said, events, now


def _stale(what: str) -> ExportError:
    return ExportError(
        f"the catalogue for the device is not that of the bundle: {what}. Export again from the published bundle",
        code="catalogue_stale",
    )


def _other_input(name: str, user_id: str, own: Any, given: Any) -> ExportError:
    own, given = np.atleast_1d(own), np.atleast_1d(given)
    place = int(np.argmax(~np.isclose(own, given))) if own.shape == given.shape else 0
    return ExportError(
        f"the device makes other inputs of the same person: {name}[{place}] of user {user_id!r} is {given[place]} on "
        f"the device and {own[place]} on the server. features.json or catalogue.json has another vocabulary than the "
        "bundle; export again from the published bundle",
        code="vocabulary_wrong",
    )
