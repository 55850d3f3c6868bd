"""The examples that come with an edge bundle, tried on this device."""

import json
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import numpy as np

from savor_edge.bundle import EdgeBundle
from savor_edge.edge_model import LEAST
from savor_edge.eligibility import allowed_rows, model_mask
from savor_edge.errors import EdgeError
from savor_edge.request import Request

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
            for problem in _differences(bundle, query, float(tolerance["inputs"]), float(tolerance["scores"]))
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EdgeError(
            f"the examples of edge bundle {bundle.id} cannot be tried ({type(error).__name__}: {error}); export or "
            "download it again",
            code="edge_bundle_invalid",
        ) from None


def _differences(bundle: EdgeBundle, query: dict[str, Any], of_inputs: float, of_scores: float) -> Iterator[str]:
    asked = query["request"]
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
    mask = model_mask(allowed, bundle.features, history.at(query["now"]), query["now"])
    own = np.zeros(len(allowed))
    for item_id, worth in query.get("bonus", {}).items():
        own[bundle.catalogue.index[item_id]] = worth
    if np.abs(mask - own)[allowed].max(initial=0) > of_inputs:
        yield "the bonus of own items differs"
        return
    try:
        found = bundle.model(inputs, mask)
    except EdgeError as error:
        yield str(error)
        return
    shown = np.flatnonzero(found.scores > LEAST)[: request.number]
    expected = np.asarray(query["scores"], np.float32)
    if len(shown) != len(expected) or np.abs(found.scores[shown] - expected).max(initial=0) > of_scores:
        yield "the scores differ"
        return
    ids = [bundle.catalogue.ids[row] for row in found.items[shown].tolist()]
    if misplaced := [
        place for place, (own, wanted) in enumerate(zip(ids, query["items"], strict=True)) if own != wanted
    ]:
        for place in misplaced:
            # Only items whose scores are as good as equal may change places; the last may give way to one outside.
            ties = np.abs(expected - expected[place]) <= 2 * of_scores
            if ids[place] not in [query["items"][tie] for tie in np.flatnonzero(ties)] and not ties[-1]:
                yield f"place {place + 1} has item {ids[place]!r}, not {query['items'][place]!r}"
