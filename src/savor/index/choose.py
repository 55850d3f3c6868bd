"""Which index to use, and opening one whatever it is."""

from pathlib import Path
from typing import Literal

from savor.core.errors import BundleError
from savor.index.exact import ExactIndex
from savor.index.faiss_index import FaissIndex
from savor.index.files import read_description
from savor.index.index import Index
from savor.index.scann_index import ScannIndex

IndexKind = Literal["auto", "exact", "scann", "faiss"]

LARGEST_EXACT = 20_000
"""Up to so many items, exact search is about as fast as anything else."""

_KINDS: dict[str, type[Index]] = {index.kind: index for index in (ExactIndex, ScannIndex, FaissIndex)}


def choose_index(number_of_items: int, kind: IndexKind = "auto") -> type[Index]:
    """The class to build with.

    Args:
        number_of_items: size of the catalogue.
        kind: a particular one; `auto` takes exact search up to 20,000 items, above that ScaNN, FAISS where ScaNN is not
            installed, and exact search where neither is.

    Raises:
        BundleError: no such kind.
    """
    if kind != "auto":
        return _of_kind(kind)
    if number_of_items <= LARGEST_EXACT:
        return ExactIndex
    if ScannIndex.is_installed():
        return ScannIndex
    return FaissIndex if FaissIndex.is_installed() else ExactIndex


def open_index(directory: Path) -> Index:
    """Load an index of any kind.

    Raises:
        BundleError: absent, damaged, or of a kind this version does not know.
    """
    kind, _, _ = read_description(directory)
    return _of_kind(kind).load(directory)


def _of_kind(kind: str) -> type[Index]:
    if kind not in _KINDS:
        raise BundleError(f"no index of kind {kind!r}; there are {', '.join(sorted(_KINDS))}")
    return _KINDS[kind]
