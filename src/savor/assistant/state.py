"""What a conversation has come to."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from savor.assistant.understanding.reading import Reading

_MOST_SHOWN = 300
_MOST_PHRASES = 40


@dataclass(frozen=True)
class Conversation:
    """What is wanted now, and what was shown. It holds phrases of messages, and no message.

    Attributes:
        things, qualities, diets, without, price_min, price_max, level, people, number, occasion: as of `Reading`.
        passing: those of `without` that end with the things they were said of.
        total: whether the highest price was said of everything together.
        beside: ids of what the items should go with.
        beside_phrase: what says which items those are.
        like: id of the item that others should be like; "" for none.
        like_phrase: what says which item that is, until it is looked up.
        size: 1 for larger packs, -1 for smaller, 0 where nothing was said.
        rejected: ids of items that are not wanted.
        listed: ids of the last list, in its order.
        shown: ids of everything shown since the last new wish.
        focus: id of the item that was spoken of last; "" for none.
        turns: how many there were.
    """

    things: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    diets: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    price_min: float | None = None
    price_max: float | None = None
    level: int = 0
    people: int | None = None
    number: int | None = None
    occasion: str | None = None
    total: bool = False
    beside: tuple[str, ...] = ()
    beside_phrase: str = ""
    like: str = ""
    like_phrase: str = ""
    size: int = 0
    rejected: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    focus: str = ""
    turns: int = 0

    @property
    def about_something(self) -> bool:
        """Whether anything narrows what is wanted."""
        said = (
            self.things,
            self.qualities,
            self.diets,
            self.without,
            self.like,
            self.beside,
            self.occasion,
            self.price_max,
            self.price_min,
        )
        return any(said) or self.level != 0

    def document(self) -> dict[str, Any]:
        """As JSON values, to be kept."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Conversation":
        """What `document` gave; what it does not have is as at first, and what is not known is left out."""
        known = {field.name for field in fields(cls)}
        kept: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in document.items()
            if name in known
        }
        return cls(**kept)

    def referred(self, reading: Reading) -> list[str]:
        """Ids of the items of the last list that a message refers to."""
        size = len(self.listed)
        found = [self.listed[place] for place in reading.refers_to if -size <= place < size]
        if reading.every:
            return [*self.listed]
        if reading.points and not found and self.listed:
            return [self.focus if self.focus in self.listed else self.listed[0]]
        return list(dict.fromkeys(found))

    def spoken(self, reading: Reading) -> list[str]:
        """Ids of the items that a message asks about: those it refers to, or all where it asks for prices of no one."""
        every = reading.asks == "price" and not reading.refers_to and not self.focus
        return [*self.listed] if every else self.referred(reading)

    def after(self, items: Sequence[str]) -> "Conversation":
        """The same after these items were shown."""
        shown = tuple(dict.fromkeys((*self.shown, *items)))[-_MOST_SHOWN:]
        return replace(self, listed=tuple(items), shown=shown, turns=self.turns + 1)


def joined(before: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    """Both, each phrase once, the last ones where they are too many."""
    return tuple(dict.fromkeys((*before, *more)))[-_MOST_PHRASES:]
