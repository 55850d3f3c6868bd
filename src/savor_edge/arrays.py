"""Typed arrays that lie one after the other in a `.bin` file, with their places in the JSON beside it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPES = ("uint8", "uint16", "int32", "float16", "float32")
"""What an array may hold, little-endian."""


def read_arrays(places: Mapping[str, Mapping[str, Any]], content: bytes) -> dict[str, NDArray[Any]]:
    """Views of `content` by name.

    Args:
        places: `dtype`, `offset` in bytes and `length` of each array.
        content: of the file.

    Raises:
        ValueError: an array has an unknown dtype, or ends beyond the file.
    """
    arrays = {}
    for name, place in places.items():
        if place["dtype"] not in DTYPES:
            raise ValueError(f"array {name} is of dtype {place['dtype']!r}, which is none of {DTYPES}")
        dtype = np.dtype(place["dtype"]).newbyteorder("<")
        arrays[name] = np.frombuffer(content, dtype, int(place["length"]), int(place["offset"]))
    return arrays
