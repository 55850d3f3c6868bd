"""What users searched for, as vectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.core.errors import BundleError
from savor.features.history_window import known_until, last_positions

if TYPE_CHECKING:
    from savor.data.event_texts import EventTexts

_CHUNK = 512
"""Vectors of so many rows are added up at a time, which stay in the processor's cache."""


class SearchHistory(NamedTuple):
    """One user's n searches, oldest first.

    Attributes:
        time: (n,) int64 UTC seconds.
        vectors: (n, W) float32 or float16.
    """

    time: NDArray[np.int64]
    vectors: NDArray[Any]

    @classmethod
    def empty(cls) -> "SearchHistory":
        """The searches of somebody who made none."""
        return cls(np.empty(0, np.int64), np.empty((0, 0), np.float16))


@dataclass(frozen=True)
class Searches:
    """The searches of U users, N in all with V distinct texts, as compressed rows.

    Attributes:
        indptr: (U + 1,) int64; user u's searches stand at `indptr[u]:indptr[u + 1]`, oldest first.
        time: (N,) int64 UTC seconds.
        row: (N,) int32, position in `vectors`.
        vectors: (V, W) float16.
        encoder: name of the text encoder that made them.
    """

    indptr: NDArray[np.int64]
    time: NDArray[np.int64]
    row: NDArray[np.int32]
    vectors: NDArray[Any]
    encoder: str

    @classmethod
    def encode(
        cls,
        texts: "EventTexts",
        number_of_users: int,
        encode: Callable[[Sequence[str]], NDArray[np.float32]],
        encoder: str,
    ) -> Self:
        """Encode what is searched for in `texts`, each distinct text once."""
        found = np.flatnonzero([bool(text) for text in texts.search])
        found = found[np.lexsort((found, texts.time[found], texts.user[found]))]
        listed = [str(texts.search[int(row)]) for row in found]
        distinct = sorted(set(listed))
        position = {text: number for number, text in enumerate(distinct)}
        indptr = np.zeros(number_of_users + 1, np.int64)
        np.cumsum(np.bincount(texts.user[found], minlength=number_of_users), out=indptr[1:])
        row = np.asarray([position[text] for text in listed], np.int32)
        return cls(indptr, texts.time[found], row, encode(distinct).astype(np.float16), encoder)

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def width(self) -> int:
        """W, the width of the vectors."""
        return int(self.vectors.shape[1])

    def of(self, user: int) -> SearchHistory:
        """The searches of `user`; none for a number outside the table."""
        if not 0 <= user < len(self):
            return SearchHistory.empty()
        rows = slice(self.indptr[user], self.indptr[user + 1])
        return SearchHistory(self.time[rows], self.vectors[self.row[rows]])

    def before(self, now: int) -> "Searches":
        """Those made strictly before `now`, with the texts of no others."""
        known = self.time < now
        users = np.repeat(np.arange(len(self)), np.diff(self.indptr))[known]
        indptr = np.zeros_like(self.indptr)
        np.cumsum(np.bincount(users, minlength=len(self)), out=indptr[1:])
        used, row = np.unique(self.row[known], return_inverse=True)
        return Searches(indptr, self.time[known], row.astype(np.int32), self.vectors[used], self.encoder)

    def mean(self, users: NDArray[np.int32], now: NDArray[np.int64], count: int) -> NDArray[np.float32]:
        """(B, W) float32 mean of each user's last `count` searches strictly before `now`; zeros where there is none."""
        position = last_positions(self, users, known_until(self, users, now, strictly=True), count)
        return mean_vectors(self.vectors, np.where(position >= 0, _at(self.row, position), -1))

    def save(self, directory: Path) -> None:
        """Write `searches.json` and one `.npy` file per array."""
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("indptr", "time", "row", "vectors"):
            np.save(directory / f"{name}.npy", getattr(self, name))
        (directory / "searches.json").write_bytes(orjson.dumps({"encoder": self.encoder}))

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote; the arrays are mapped, not read.

        Raises:
            BundleError: a file is absent or damaged.
        """

        def array(name: str) -> Any:
            return np.asarray(np.load(directory / f"{name}.npy", mmap_mode="r", allow_pickle=False))

        try:
            encoder = orjson.loads((directory / "searches.json").read_bytes())["encoder"]
            return cls(array("indptr"), array("time"), array("row"), array("vectors"), encoder)
        except (OSError, ValueError, KeyError) as error:
            raise BundleError(
                f"the searches in {directory} cannot be read ({error}); publish the bundle again"
            ) from None


def search_input(
    history: SearchHistory, now: int, count: int, width: int, current: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """(1, W) float32 of one user: as `Searches.mean`, with `current` (W,) as the last search where it is given."""
    known = int(np.searchsorted(history.time, now, "left"))
    last = history.vectors[max(known - count, 0) : known]
    if current is not None:
        # What the user asks for now has the precision of what was asked before.
        asked = current.astype(np.float16)[None]
        last = np.concatenate([last[max(len(last) - count + 1, 0) :], asked]) if len(last) and count > 1 else asked
    if not len(last):
        return np.zeros((1, width), np.float32)
    return mean_vectors(last, np.arange(len(last))[::-1][None])


def mean_vectors(vectors: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.float32]:
    """(B, W) float32 mean of the vectors at `rows` (B, L), without those below 0; zeros where there is none.

    They are added up one place at a time, so that a row's mean does not depend on the rest of the batch.
    """
    total = np.zeros((len(rows), vectors.shape[1]), np.float32)
    present = rows >= 0
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        for place in range(rows.shape[1]):
            there = present[part, place]
            if there.any():
                taken = np.asarray(vectors[rows[part, place]], np.float32)
                taken[~there] = 0
                total[part] += taken
    total /= np.maximum(present.sum(axis=1), 1).astype(np.float32)[:, None]
    return total


def _at(column: NDArray[Any], position: NDArray[np.int64]) -> NDArray[Any]:
    return column[position] if len(column) else np.zeros(position.shape, column.dtype)
