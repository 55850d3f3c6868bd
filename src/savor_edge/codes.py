"""From texts to the whole numbers that a model takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self
from zlib import crc32


@dataclass(frozen=True)
class Codes:
    """Code 0 is "unknown", codes 1 to `buckets` are shared by texts never seen, then one code per known value.

    Attributes:
        values: the known texts, distinct and sorted.
        buckets: how many codes texts never seen share; at least 1.
    """

    values: tuple[str, ...]
    buckets: int

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The `values` and `buckets` of an input in `features.json`."""
        return cls(tuple(value["values"]), int(value["buckets"]))

    @cached_property
    def _known(self) -> dict[str, int]:
        first = 1 + self.buckets
        return {value: first + position for position, value in enumerate(self.values)}

    def of(self, text: str) -> int:
        """The code of one text; "" is 0. One never seen has `1 + crc32(utf-8) % buckets`."""
        if not text:
            return 0
        known = self._known.get(text)
        return 1 + crc32(text.encode("utf-8", "surrogatepass")) % self.buckets if known is None else known
