"""From item id to row, with items that came and went since."""

from collections.abc import Iterator, Mapping
from typing import TypeVar, overload

Default = TypeVar("Default")


class LayeredRows(Mapping[str, int]):
    """A mapping with a few more entries than another, and without some; the other is not copied.

    Args:
        base: the rows of most items.
        added: of others.
        removed: items that are no more.
    """

    def __init__(self, base: Mapping[str, int], added: Mapping[str, int], removed: frozenset[str]) -> None:
        self._base, self._added, self._removed = base, added, removed

    def __getitem__(self, identifier: str) -> int:
        row = self.get(identifier)
        if row is None:
            raise KeyError(identifier)
        return row

    @overload
    def get(self, identifier: str, /) -> int | None: ...
    @overload
    def get(self, identifier: str, /, default: Default) -> int | Default: ...
    def get(self, identifier: str, /, default: Default | None = None) -> int | Default | None:
        """The row of an item, or `default`."""
        row = self._base.get(identifier)
        if row is None:
            row = self._added.get(identifier)
        return default if row is None or identifier in self._removed else row

    def __contains__(self, identifier: object) -> bool:
        return isinstance(identifier, str) and self.get(identifier) is not None

    def __iter__(self) -> Iterator[str]:
        for layer in (self._base, self._added):
            yield from (identifier for identifier in layer if identifier not in self._removed)

    def __len__(self) -> int:
        gone = sum(identifier in self._base or identifier in self._added for identifier in self._removed)
        return len(self._base) + len(self._added) - gone
