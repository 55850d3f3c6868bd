"""A word index that follows a catalogue as items come and change."""

from contextlib import suppress
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.core.errors import SavorError
from savor.features.catalogue import Catalogue
from savor.pipeline.prepared import Prepared
from savor.pipeline.word_index import WordIndex

FOLDER = "sources/words"


class LiveWords:
    """The index of a bundle; for changed and new items, one of them alone. Safe from several threads.

    Args:
        catalogue: of the bundle, as it was published.
        bundle: has the index where it was published with one; otherwise it is made when first asked for.
    """

    def __init__(self, catalogue: Catalogue, bundle: Bundle) -> None:
        self._base, self._published = catalogue, bundle.has(FOLDER)

        def make() -> WordIndex:
            if self._published:
                return WordIndex.load(bundle.path(FOLDER))
            return WordIndex.build(catalogue)

        self._index = Prepared(make, "the index of words", patience=0.15)
        self._fresh: tuple[Catalogue, NDArray[np.int32], WordIndex] | None = None
        self._lock = Lock()

    def prepare(self) -> None:
        """Read the index; where the bundle has none, begin to make it, without waiting."""
        with suppress(SavorError):
            self._index.get(wait=self._published)

    def search(self, text: str, catalogue: Catalogue, *, wait: bool) -> NDArray[np.float32]:
        """How well each item of `catalogue` fits `text`.

        Args:
            text: what is searched for.
            catalogue: that of the bundle, or one with changed rows, and with new ones behind.
            wait: whether to wait for the index where it is not ready.

        Returns:
            (I,) float32, 0 to 1.

        Raises:
            SavorError: the index is not ready, or damaged.
        """
        index = self._index.get(wait=wait)
        total = np.zeros(len(catalogue), np.float32)
        index.add(text, total)
        if catalogue is not self._base:
            _, rows, fresh = self._changed(catalogue)
            if len(rows):
                total[rows] = 0
                fresh.add(text, total)
        return total

    def _changed(self, catalogue: Catalogue) -> tuple[Catalogue, NDArray[np.int32], WordIndex]:
        with self._lock:
            if self._fresh is None or self._fresh[0] is not catalogue:
                rows = changed_rows(self._base, catalogue)
                self._fresh = (catalogue, rows, WordIndex.build(catalogue, rows))
            return self._fresh


def changed_rows(before: Catalogue, after: Catalogue) -> NDArray[np.int32]:
    """(F,) int32 rows of `after` that `before` has not, or has with another name or category."""
    old = len(before)
    changed = np.zeros(len(after), np.bool_)
    changed[old:] = True
    names = zip(before.names, after.names, strict=False)
    changed[[row for row, (was, name) in enumerate(names) if was is not name and was != name]] = True
    for name, column in after.categories.items():
        known = before.categories.get(name)
        if known is None:
            changed[:] = True
        elif column.codes is not known.codes:
            changed[:old] |= column.codes[:old] != known.codes
    return np.flatnonzero(changed).astype(np.int32)
