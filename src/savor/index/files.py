"""What every saved index says of itself."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import BundleError, SavorError

_NAME = "index.json"


def write_description(directory: Path, kind: str, items: int, dimension: int) -> None:
    """Write `index.json`: the kind of index, the number of items and the length of their vectors."""
    directory.mkdir(parents=True, exist_ok=True)
    description = {"kind": kind, "items": items, "dimension": dimension}
    (directory / _NAME).write_text(json.dumps(description, sort_keys=True) + "\n", encoding="utf-8")


def read_description(directory: Path, kind: str | None = None) -> tuple[str, int, int]:
    """Kind, items and dimension from `index.json`.

    Args:
        directory: a folder written by `Index.save`.
        kind: what it must be; absent: anything.

    Raises:
        BundleError: absent, damaged, or of another kind.
    """
    try:
        value = json.loads((directory / _NAME).read_text(encoding="utf-8"))
        found, items, dimension = str(value["kind"]), int(value["items"]), int(value["dimension"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"no usable index in {directory} ({error!r}); publish again") from None
    if kind is not None and found != kind:
        raise BundleError(f"the index in {directory} is of kind {found!r}, expected {kind!r}")
    return found, items, dimension


def checked(vectors: NDArray[np.float32], dimension: int | None = None) -> NDArray[np.float32]:
    """`vectors` as contiguous float32.

    Raises:
        SavorError: not two-dimensional, of another length than `dimension`, or not finite.
    """
    if vectors.ndim != 2 or (dimension is not None and vectors.shape[1] != dimension):
        raise SavorError(f"expected vectors of shape (rows, {dimension or 'D'}), got {vectors.shape}")
    vectors = np.ascontiguousarray(vectors, np.float32)
    if not np.isfinite(vectors).all():
        raise SavorError("vectors for an index must be finite; found NaN or infinity")
    return vectors
