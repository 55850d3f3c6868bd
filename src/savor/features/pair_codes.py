"""Codes of ids and categories for pairs of users and items."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from savor.features.feature_space import FeatureSpace
from savor.features.input_spec import InputSpec
from savor.features.profiles import UserProfile
from savor.features.table_encoder import Inputs


def pair_signature(space: FeatureSpace) -> dict[str, InputSpec]:
    """The whole-number inputs of users and items that are a single code, users' first."""
    both = {**space.users.signature(), **space.items.signature()}
    if not space.options.user_id:
        both.pop("user_id")
    return {name: spec for name, spec in both.items() if spec.cardinality is not None and spec.shape == ()}


def pair_codes(space: FeatureSpace, names: Sequence[str], users: NDArray[np.int32], items: NDArray[np.int32]) -> Inputs:
    """(N,) int32 by name for N pairs of rows; rows outside a table are unknown (0)."""
    tables = {"user": (space.user_table, users), "item": (space.item_table, items)}
    return {name: _taken(*(tables[name.split("_", 1)[0]]), name) for name in names}


def pair_codes_of_one(
    space: FeatureSpace, names: Sequence[str], profile: UserProfile, items: NDArray[np.int32]
) -> Inputs:
    """(N,) int32 by name for one user, who need not be in the user table, and N item rows."""
    own = space.users.encode_profile(profile)
    return {
        name: np.full(len(items), own[name][0], np.int32)
        if name.startswith("user_")
        else _taken(space.item_table, items, name)
        for name in names
    }


def _taken(table: Inputs, rows: NDArray[np.int32], name: str) -> NDArray[np.int32]:
    column = table[name]
    inside = (rows >= 0) & (rows < len(column))
    return np.where(inside, column[np.where(inside, rows, 0)], 0).astype(np.int32)
