"""One image vector per item, stored once per distinct picture."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from savor.core.progress import progress
from savor.features.content_vectors import ContentVectors
from savor.features.embedding_store import EmbeddingStore
from savor.features.images.encoder import ImageEncoder
from savor.features.images.picture import UnreadableImageError, decode_image
from savor.features.images.source import ImageSource

SEGMENT = 128
"""Pictures are encoded into the store so many at a time."""

BATCH = 32


@dataclass
class ImageReport:
    """What became of the pictures of the item table.

    Attributes:
        items: rows of the item table.
        without: items for which no picture is named.
        pictures: distinct contents that could be read.
        encoded: how many of them were not in the store before.
        faults: unusable pictures by reason.
        examples: up to three locations by reason.
    """

    items: int = 0
    without: int = 0
    pictures: int = 0
    encoded: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, location: str, reason: str) -> None:
        """Count a fault."""
        self.faults[reason] = self.faults.get(reason, 0) + 1
        named = self.examples.setdefault(reason, [])
        if len(named) < 3:
            named.append(location)

    @property
    def lines(self) -> list[str]:
        """For people: the counts, then a line for each kind of fault."""
        counts = f"{self.pictures:,} pictures of {self.items:,} items, {self.encoded:,} newly encoded"
        first = counts + (f"; {self.without:,} items name none" if self.without else "")
        return [
            first,
            *(
                f"! {number:,} pictures left out: {reason} ({', '.join(self.examples[reason])})"
                for reason, number in sorted(self.faults.items())
            ),
        ]


class ImageVectors(ContentVectors):
    """Image vectors of I items: (V, W) float16, each but the first of length 1.

    An item without a usable picture has row 0, the zero vector; `known` tells it from the others.
    """

    @classmethod
    def encode(
        cls, locations: Sequence[str | None], source: ImageSource, encoder: ImageEncoder, store: EmbeddingStore
    ) -> tuple["ImageVectors", ImageReport]:
        """Read and encode I pictures, each distinct content once in the life of `store`.

        Args:
            locations: a path or address per item; None and "" for none.
            source: reads them.
            encoder: encodes contents that are not in the store.
            store: keeps vectors under the SHA-256 of the picture's bytes.
        """
        report = ImageReport(items=len(locations), without=sum(not location for location in locations))
        keys = _keys({location for location in locations if location}, source, encoder, store, report)
        contents = sorted({key for key in keys.values() if key in store})
        report.pictures = len(contents)
        position = {key: number for number, key in enumerate(contents, start=1)}
        vectors = np.zeros((1 + len(contents), encoder.dimension), np.float16)
        for start in range(0, len(contents), SEGMENT):
            part = store.get(contents[start : start + SEGMENT])
            length = np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12)
            vectors[1 + start : 1 + start + len(part)] = part / length
        row = [position.get(keys.get(location or "", b""), 0) for location in locations]
        return cls(np.asarray(row, np.int32), vectors), report

    def known(self, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """(B, 1) float32, 1 where the item has a usable picture."""
        return (self.rows(items) > 0).astype(np.float32)[:, None]


def _keys(
    locations: set[str], source: ImageSource, encoder: ImageEncoder, store: EmbeddingStore, report: ImageReport
) -> dict[str, bytes]:
    """The key of each readable location; contents that are not in `store` are encoded into it."""
    keys: dict[str, bytes] = {}
    waiting: dict[bytes, NDArray[np.uint8]] = {}
    damaged: dict[bytes, str] = {}

    def encode() -> None:
        images = np.stack(list(waiting.values()))
        parts = [encoder.encode(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        store.add(list(waiting), np.concatenate(parts))
        report.encoded += len(waiting)
        waiting.clear()

    with progress("Reading pictures, encoding new ones", len(locations)) as task:
        for location in sorted(locations):
            try:
                content = source.read(location)
                key = sha256(content).digest()
                if key in damaged:
                    raise UnreadableImageError(damaged[key])
                if key not in store and key not in waiting:
                    waiting[key] = _decoded(content, key, encoder.size, damaged)
                keys[location] = key
            except UnreadableImageError as error:
                report.add(location, str(error))
            if len(waiting) >= SEGMENT:
                encode()
            task.advance(1, f"{report.encoded:,} new")
        if waiting:
            encode()
    return keys


def _decoded(content: bytes, key: bytes, size: int, damaged: dict[bytes, str]) -> NDArray[np.uint8]:
    try:
        return decode_image(content, size)
    except UnreadableImageError as error:
        damaged[key] = str(error)
        raise
