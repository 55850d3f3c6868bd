"""Typed arrays one after the other in one file, for a device."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNED = 4
_WHOLE = ((np.uint8, 1 << 8), (np.uint16, 1 << 16))


def packed_arrays(arrays: Mapping[str, NDArray[Any]]) -> tuple[bytes, dict[str, dict[str, Any]]]:
    """The arrays as little-endian bytes, and where each of them stands: `dtype`, `offset` in bytes and `length`.

    Args:
        arrays: flat, by name; whole numbers take the narrowest form that holds them, float16 and float32 stay.
    """
    parts: list[bytes] = []
    places: dict[str, dict[str, Any]] = {}
    offset = 0
    for name, array in arrays.items():
        narrow = np.ascontiguousarray(_narrow(array))
        content = narrow.astype(narrow.dtype.newbyteorder("<")).tobytes()
        places[name] = {"dtype": narrow.dtype.name, "offset": offset, "length": len(narrow)}
        padding = -len(content) % _ALIGNED
        parts += (content, bytes(padding))
        offset += len(content) + padding
    return b"".join(parts), places


def _narrow(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype in (np.float16, np.float32):
        return array
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    for dtype, size in _WHOLE:
        if low >= 0 and high < size:
            return array.astype(dtype)
    return array.astype(np.int32)
