"""What a language model wrote about items, kept until it is read with their texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from savor.core.errors import DataError
from savor.core.files import write_bytes_atomic
from savor.features.text.item_sources import ItemSource


@dataclass(frozen=True)
class Summary:
    """What was written about one item.

    Attributes:
        text: the words; "" where nothing of use was written.
        source: `ItemSource.digest` of what it was written from.
        reviews: whether reviews were part of that.
        model: who wrote it.
    """

    text: str
    source: str
    reviews: bool
    model: str


@dataclass
class Summaries:
    """Summaries by item id. They are for encoders of text alone: nobody has checked what they say.

    Attributes:
        of: from item ids.
    """

    of: dict[str, Summary] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Summaries":
        """What `save` wrote; nothing where there is no such file.

        Raises:
            DataError: the file is not what `save` writes.
        """
        if not path.exists():
            return cls()
        try:
            return cls({str(row.pop("item")): Summary(**row) for row in _rows(path)})
        except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{path} is no file of summaries ({error}): remove it, and run `savor summarize`") from None

    def save(self, path: Path) -> None:
        """Write one JSON object a line, by item id."""
        lines = [orjson.dumps({"item": item, **asdict(self.of[item])}) for item in sorted(self.of)]
        write_bytes_atomic(path, b"".join(line + b"\n" for line in lines))

    def texts(self, ids: Sequence[str], sources: Mapping[bool, Sequence[ItemSource]]) -> list[str]:
        """(I,) summaries of items; "" where there is none, or where what it was written from has changed since.

        Args:
            ids: of I items.
            sources: their sources, without and with reviews.
        """
        found = [""] * len(ids)
        for row, item in enumerate(ids):
            summary = self.of.get(item)
            if summary is not None and sources[summary.reviews][row].digest == summary.source:
                found[row] = summary.text
        return found


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines():
        yield orjson.loads(line)
