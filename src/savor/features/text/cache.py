"""Text vectors on disk, by content."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from savor.core.progress import progress
from savor.features.embedding_store import EmbeddingStore
from savor.features.text.encoder import TextEncoder

SEGMENT = 1024


class TextCache:
    """Encodes each distinct string once in the life of a folder, an `EmbeddingStore`.

    Args:
        directory: where the vectors are kept; made when needed.
        encoder: what to encode unseen strings with.
    """

    def __init__(self, directory: Path, encoder: TextEncoder) -> None:
        self._store = EmbeddingStore(directory, encoder.name, encoder.dimension)
        self._encoder = encoder

    def __len__(self) -> int:
        return len(self._store)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, dimension) float32 of N strings; shows progress over those that are new."""
        keys = [sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        unseen = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._store}
        if unseen:
            names = list(unseen)
            with progress("Encoding text", len(names)) as task:
                for start in range(0, len(names), SEGMENT):
                    part = names[start : start + SEGMENT]
                    self._store.add(part, self._encoder.encode([unseen[key] for key in part]))
                    task.advance(len(part))
        return self._store.get(keys)
