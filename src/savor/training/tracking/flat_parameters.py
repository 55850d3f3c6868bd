"""Parameters in the form that trackers show: one line each."""

import json
from collections.abc import Mapping
from typing import Any


def flat_parameters(values: Mapping[str, Any], prefix: str = "") -> dict[str, str | int | float | bool]:
    """Tables within tables become dotted names; what is neither text nor number becomes JSON."""
    flat: dict[str, str | int | float | bool] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flat_parameters(value, f"{prefix}{name}.")
        elif isinstance(value, str | int | float | bool):
            flat[prefix + name] = value
        else:
            flat[prefix + name] = json.dumps(value, default=str)
    return flat
