"""What an answer is made of."""

from dataclasses import dataclass, field
from typing import Any, Literal

from savor.assistant.described import Item
from savor.assistant.providers.provider import Usage

Source = Literal["plain", "model"]


@dataclass(frozen=True)
class Items:
    """The list of this turn, best first; every item is of the catalogue and satisfies what was asked.

    Attributes:
        items: as they are spoken of.
        conversation_id: to go on with; what this turn came to is kept already.
        recommendation_id: of the list, for events.
    """

    items: list[Item]
    conversation_id: str
    recommendation_id: str


@dataclass(frozen=True)
class Words:
    """A piece of what is said.

    Attributes:
        text: to be joined to the pieces of the same source before.
        source: `plain`, by rules; `model`, by the language model, in the place of what was plain. What has to be said
            of the list anyway comes behind the model's words, as a part of them.
    """

    text: str
    source: Source


@dataclass(frozen=True)
class Done:
    """The end of an answer.

    Attributes:
        conversation_id, recommendation_id: as of `Items`.
        source: whose words hold.
        fallback: in what way the answer is less than usual, `code: text`, and why; None when it is not.
        usage: tokens and cost of the language model.
        candidates: ids of everything that was looked at for this turn; the list is of them.
        understood: what the message was taken to say.
        want: what is wanted now, in words.
    """

    conversation_id: str
    recommendation_id: str
    source: Source
    fallback: str | None
    usage: Usage = field(default_factory=Usage)
    candidates: list[str] = field(default_factory=list)
    understood: dict[str, Any] = field(default_factory=dict)
    want: str = ""


Part = Items | Words | Done


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    message: str
    items: list[Item]
    done: Done
