"""Text vectors on disk, by content."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from savor.core.files import directory_atomic
from savor.core.progress import progress
from savor.features.text.encoder import TextEncoder

SEGMENT = 1024


class TextCache:
    """Encodes each distinct string once in the life of a folder.

    A folder holds one sub-folder per encoder, and in it segments of up to 1,024 vectors: `keys.npy` (N, 32) uint8, the
    SHA-256 of each string, and `vectors.npy` (N, dimension) float32. A segment appears whole or not at all, so work
    that was interrupted goes on where it stopped. Segments of several writers may overlap; they agree.

    Args:
        directory: where the vectors are kept; made when needed.
        encoder: what to encode unseen strings with.
    """

    def __init__(self, directory: Path, encoder: TextEncoder) -> None:
        self._directory = directory / encoder.name
        self._encoder = encoder
        self._known: dict[bytes, NDArray[np.float32]] = {}
        for segment in sorted(self._directory.glob("segment-*")):
            keys = np.load(segment / "keys.npy", allow_pickle=False)
            vectors = np.load(segment / "vectors.npy", allow_pickle=False)
            self._known.update(zip(map(bytes, keys), vectors, strict=True))

    def __len__(self) -> int:
        return len(self._known)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, dimension) float32 of N strings; shows progress over those that are new."""
        keys = [sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        unseen = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if unseen:
            names = list(unseen)
            with progress("Encoding text", len(names)) as task:
                for start in range(0, len(names), SEGMENT):
                    part = names[start : start + SEGMENT]
                    self._add(part, self._encoder.encode([unseen[key] for key in part]))
                    task.advance(len(part))
        vectors = np.empty((len(keys), self._encoder.dimension), np.float32)
        for row, key in enumerate(keys):
            vectors[row] = self._known[key]
        return vectors

    def _add(self, keys: list[bytes], vectors: NDArray[np.float32]) -> None:
        name = sha256(b"".join(keys)).hexdigest()[:32]
        with directory_atomic(self._directory / f"segment-{name}") as segment:
            np.save(segment / "keys.npy", np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 32))
            np.save(segment / "vectors.npy", vectors)
        self._known.update(zip(keys, vectors, strict=True))
