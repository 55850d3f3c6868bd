"""Writes `features.json`: how each input of the model is made on a device, as data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from savor.bundle.bundle import Bundle
from savor.core.errors import BundleError, SavorError
from savor.export.own_items import OwnItemsBonus
from savor.features.behaviour import LONGEST_AGE, SESSION_GAP
from savor.features.feature_space import FeatureSpace
from savor.features.history_window import AGE_BUCKETS
from savor.features.input_spec import InputSpec
from savor.features.scaling import LIMIT
from savor.features.vocabulary import Vocabulary
from savor.online.live_states import NOT_INTEREST
from savor.pipeline.stages.reasons import Wording
from savor_edge.features import DOCUMENT, FORMAT_VERSION

NOT_ON_DEVICE = ("search_text", "visual_preference", "visual_preference_known")
"""Inputs made of vectors that stay on the server: on a device they are as for somebody who never searched or looked."""

_OF_EVENTS = (
    "history_item",
    "history_category",
    "history_age",
    "history_seconds",
    "session_item",
    "session_category",
)


def write_features(
    bundle: Bundle,
    space: FeatureSpace,
    inputs: Sequence[str],
    directory: Path,
    *,
    user_ids: bool = False,
    own_items: OwnItemsBonus | None = None,
) -> None:
    """Write `features.json` into `directory`.

    Args:
        bundle: says which kinds of events it was trained on.
        space: made the inputs that the model was trained with.
        inputs: names of the model's inputs, without the mask.
        directory: an existing folder.
        user_ids: ship the ids of all users, so that each is known by theirs; without it everybody is unknown.
        own_items: the bonus of what somebody takes again; None for none.

    Raises:
        SavorError: an input is none of the feature space's, or the ids of users are pseudonyms.
    """
    config = bundle.read_json("config.json") if bundle.has("config.json") else {}
    if user_ids and config.get("pseudonymous"):
        raise SavorError(
            "the ids of users in this bundle are keyed hashes, and the key never leaves the server: export without "
            "--with-user-ids",
            code="user_ids_pseudonymous",
        )
    kinds = list(config.get("kinds", ()))
    wording = Wording.of(kinds[0] if len(kinds) == 1 else "")
    signature = space.user_signature
    document = {
        "format_version": FORMAT_VERSION,
        "inputs": {
            name: {**_recipe(name, signature, space, user_ids=user_ids), **_shape(signature[name])}
            for name in inputs
            if name in signature
        },
        "events": {
            "kinds": kinds,
            "not_interest": sorted(NOT_INTEREST),
            "wording": {"present": wording.present, "past": wording.past},
        },
        "session_gap": SESSION_GAP,
        "own_items": None if own_items is None else own_items.to_json(),
    }
    if unknown := [name for name in inputs if name not in signature]:
        raise BundleError(f"the model has inputs {unknown}, which the bundle's features do not make; train again")
    (directory / DOCUMENT).write_bytes(orjson.dumps(document))


def _shape(spec: InputSpec) -> dict[str, Any]:
    return {"dtype": spec.dtype, "shape": list(spec.shape)}


def _recipe(name: str, signature: dict[str, InputSpec], space: FeatureSpace, *, user_ids: bool) -> dict[str, Any]:
    """Kind and parameters of one input."""
    column = signature[name].column
    if name == "user_id":
        return {"kind": "user_id", **_texts(space.users.ids)} if user_ids else {"kind": "constant", "value": 0}
    if name in NOT_ON_DEVICE:
        return {"kind": "constant", "value": 0}
    if name.startswith("user_category_"):
        return {"kind": "category", "column": column, **_texts(space.users.categories[column])}
    if name.startswith("user_tag_"):
        return {"kind": "tags", "column": column, **_texts(space.users.tags[column])}
    if name == "user_numeric":
        columns = [{"column": name, **scaler.to_json()} for name, scaler in space.users.scalers.items()]
        return {"kind": "numeric", "columns": columns, "limit": LIMIT}
    if name == "moment":
        return {"kind": "moment"}
    if name not in _OF_EVENTS:
        raise BundleError(f"there is no way to make input {name!r} on a device")
    most = {"history_age": AGE_BUCKETS - 1, "history_seconds": LONGEST_AGE}
    return {"kind": name, **({"most": most[name]} if name in most else {})}


def _texts(vocabulary: Vocabulary) -> dict[str, Any]:
    return {"values": list(vocabulary.values), "buckets": vocabulary.buckets}
