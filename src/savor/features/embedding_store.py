"""Vectors of content on disk, by what the content is and what encoded it."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.files import directory_atomic


class EmbeddingStore:
    """Keeps one vector per content for the life of a folder.

    A folder holds one sub-folder per encoder, and in it segments: `keys.npy` (N, 32) uint8, the SHA-256 of each
    content, and `vectors.npy` (N, dimension) float32. A segment appears whole or not at all, so work that was
    interrupted goes on where it stopped. Segments of several writers may overlap; they agree. Changed content has
    another key, so it is encoded anew and nothing else is. Vectors are mapped, not read, until they are asked for.

    Args:
        directory: where the vectors are kept; made when needed.
        encoder: names the weights and the method, so that vectors of different encoders are never mixed.
        dimension: width of the vectors.
    """

    def __init__(self, directory: Path, encoder: str, dimension: int) -> None:
        self._directory, self._dimension = directory / encoder, dimension
        self._known: dict[bytes, tuple[Any, int]] = {}
        for segment in sorted(self._directory.glob("segment-*")):
            keys = np.load(segment / "keys.npy", allow_pickle=False)
            self._remember(list(map(bytes, keys)), np.load(segment / "vectors.npy", mmap_mode="r", allow_pickle=False))

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, key: bytes) -> bool:
        return key in self._known

    def add(self, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Keep (N, dimension) float32 `vectors` under N SHA-256 digests."""
        name = sha256(b"".join(keys)).hexdigest()[:32]
        with directory_atomic(self._directory / f"segment-{name}") as segment:
            np.save(segment / "keys.npy", np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 32))
            np.save(segment / "vectors.npy", vectors)
        self._remember(keys, vectors)

    def get(self, keys: Sequence[bytes]) -> NDArray[np.float32]:
        """(N, dimension) float32 vectors of N keys, each of which must be known."""
        vectors = np.empty((len(keys), self._dimension), np.float32)
        for position, key in enumerate(keys):
            segment, row = self._known[key]
            vectors[position] = segment[row]
        return vectors

    def _remember(self, keys: Sequence[bytes], vectors: Any) -> None:
        self._known.update({key: (vectors, row) for row, key in enumerate(keys)})
