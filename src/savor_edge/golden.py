"""The examples that come with an edge bundle, tried on this device."""

import json
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from savor_edge.bundle import EdgeBundle
from savor_edge.eligibility import allowed_rows, own_bonus
from savor_edge.errors import EdgeError
from savor_edge.request import Request
from savor_edge.search import RANKER, search
from savor_edge.source_columns import Asked

NAME = "golden.json"
FORMAT_VERSION = 1


def golden_problems(bundle: EdgeBundle) -> list[str]:
    """One sentence for every example in which this device differs; none where it answers as the exporter said.

    Raises:
        EdgeError: the examples cannot be read.
    """
    if NAME not in bundle.manifest.files:
        return []
    try:
        document = json.loads((bundle.folder / NAME).read_bytes())
        if document["format_version"] != FORMAT_VERSION:
            raise EdgeError(
                f"{bundle.folder / NAME} has format {document['format_version']}, and this version of savor-edge reads "
                f"{FORMAT_VERSION}: update savor-edge",
                code="edge_bundle_invalid",
            )
        tolerance = document["tolerance"]
        return [
            f"{query['name']}: {problem}"
            for query in document["queries"]
            for problem in _differences(bundle, query, tolerance)
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EdgeError(
            f"the examples of edge bundle {bundle.id} cannot be tried ({type(error).__name__}: {error}); export or "
            "download it again",
            code="edge_bundle_invalid",
        ) from None


def _differences(bundle: EdgeBundle, query: dict[str, Any], tolerance: dict[str, float]) -> Iterator[str]:
    asked, of_inputs = query["request"], float(tolerance["inputs"])
    request = Request.checked(
        asked["user_id"],
        asked["num_recommendations"],
        asked.get("scenario", "home"),
        asked.get("context"),
        asked.get("filter"),
        asked.get("exclude_items"),
        asked.get("exclude_seen", False),
        False,
        asked.get("diversity", False),
    )
    events = [{**event, "time": event["time"] // 1000} for event in query["events"]]
    history = bundle.features.history(events)
    inputs = bundle.features.inputs(history, query["profile"], query["now"], request.user_id)
    differs = False
    for name, expected in query["inputs"].items():
        made = inputs[name].ravel()
        wanted = np.asarray(expected, made.dtype)
        exact = made.dtype.kind == "i"
        same = np.array_equal(made, wanted) if exact else made.shape == wanted.shape
        if not same or (not exact and np.abs(made - wanted).max(initial=0) > of_inputs):
            differs = True
            yield f"input {name!r} differs"
    allowed = allowed_rows(request, bundle.catalogue, history)
    if int(allowed.sum()) != query["allowed"] or crc32(allowed.astype(np.uint8).tobytes()) != query["mask_crc32"]:
        yield f"{int(allowed.sum())} items may be shown, not the {query['allowed']} expected"
        return
    if differs:
        return
    history = history.at(query["now"])
    bonus = own_bonus(bundle.features, history, query["now"], len(allowed))
    own = np.zeros(len(allowed))
    for item_id, worth in query.get("bonus", {}).items():
        own[bundle.catalogue.index[item_id]] = worth
    if np.abs(bonus - own)[allowed].max(initial=0) > of_inputs:
        yield "the bonus of own items differs"
        return
    asked_for = Asked(history, query["now"], allowed, bonus, request.number, request.exclude_seen)
    notes: list[str] = []
    found = search(bundle, inputs, asked_for, request.scenario, notes)
    yield from notes
    if notes:
        return
    ids = bundle.catalogue.ids
    yield from _unlike(query, [ids[row] for row in found.found.items], found.found.scores, tolerance["scores"])
    if found.scorer == RANKER and "ranked" in query:
        expected = query["ranked"]
        yield from _other_features(bundle, expected, asked_for, tolerance["features"])
        listed = [ids[row] for row in found.items]
        for problem in _unlike(expected, listed, found.scores, tolerance["ranked"]):
            yield f"after the ranker {problem}"


def _other_features(bundle: EdgeBundle, expected: dict[str, Any], asked: Asked, tolerance: float) -> Iterator[str]:
    """Where the ranker's features of what was found are others; `tolerance` is a share of them, at least of 1."""
    assert bundle.ranker is not None
    index, told = bundle.catalogue.index, expected["found"]
    rows = np.asarray([index[item_id] for item_id in told["items"]], np.int32)
    matrix = bundle.ranker.matrix(asked, rows, np.asarray(told["scores"], np.float32))
    for item_id, values in expected["features"].items():
        made = matrix[told["items"].index(item_id)]
        wanted = np.asarray(values, np.float64)  # None is NaN
        if made.shape != wanted.shape or not np.allclose(made, wanted, rtol=tolerance, atol=tolerance, equal_nan=True):
            yield f"the ranker's features of item {item_id!r} differ"


def _unlike(expected: dict[str, Any], ids: list[str], scores: NDArray[np.float32], tolerance: float) -> Iterator[str]:
    """Where the first of `ids` and their `scores` are not those expected."""
    items, wanted = expected["items"], np.asarray(expected["scores"], np.float32)
    ids, scores = ids[: len(items)], scores[: len(items)]
    if len(ids) != len(items) or np.abs(scores - wanted).max(initial=0) > tolerance:
        yield "the scores differ"
        return
    for place, (own, item) in enumerate(zip(ids, items, strict=True)):
        if own == item:
            continue
        # Only items whose scores are as good as equal may change places; the last may give way to one outside.
        ties = np.abs(wanted - wanted[place]) <= 2 * tolerance
        if own not in [items[tie] for tie in np.flatnonzero(ties)] and not ties[-1]:
            yield f"place {place + 1} has item {own!r}, not {item!r}"
