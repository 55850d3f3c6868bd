"""From strings to small whole numbers, with room for strings never seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Vocabulary:
    """Code 0 is "unknown", codes 1 to `buckets` are shared by strings never seen, then one code per known value.

    A string never seen goes to bucket `1 + crc32(utf-8) % buckets`: the same on every machine and in every run.

    Attributes:
        values: the known strings, distinct and sorted.
        buckets: how many codes strings never seen share; at least 1.
    """

    values: tuple[str, ...]
    buckets: int

    @classmethod
    def fit(cls, strings: Iterable[str], buckets: int) -> Self:
        """The vocabulary of the distinct, non-empty `strings`."""
        return cls(tuple(sorted({string for string in strings if string})), buckets)

    @property
    def cardinality(self) -> int:
        """How many codes there are: every code is in `range(cardinality)`."""
        return 1 + self.buckets + len(self.values)

    @cached_property
    def _code(self) -> dict[str, int]:
        first = 1 + self.buckets
        return {value: first + position for position, value in enumerate(self.values)}

    def code(self, string: str | None) -> int:
        """The code of one string; None and "" are 0."""
        if not string:
            return 0
        known = self._code.get(string)
        return self.bucket(string) if known is None else known

    def bucket(self, string: str) -> int:
        """The code `string` has, or would have, as one never seen."""
        return 1 + crc32(string.encode("utf-8", "surrogatepass")) % self.buckets

    def encode(self, strings: Sequence[str | None]) -> NDArray[np.int32]:
        """(N,) int32 codes of N strings."""
        return np.fromiter((self.code(string) for string in strings), np.int32, len(strings))

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return {"values": list(self.values), "buckets": self.buckets}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(tuple(value["values"]), value["buckets"])
