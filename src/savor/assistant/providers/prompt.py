"""What a language model is given."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One turn of a conversation; `text` is data, whoever wrote it."""

    role: Role
    text: str


@dataclass(frozen=True)
class Prompt:
    """A conversation to go on with.

    Attributes:
        system: what the model is told to do; only Savor writes it.
        messages: turns, oldest first; the last one is the user's.
    """

    system: str
    messages: tuple[Message, ...]
