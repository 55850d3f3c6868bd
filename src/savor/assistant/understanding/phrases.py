"""Which phrases of a message are wanted, and which are not."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from savor.assistant.understanding.language import english
from savor.assistant.understanding.stems import stem

_TOKEN = re.compile(r"\w+|[.,;:!?/&+()]")
_ANDS = frozenset({"and", "&"})
_ENDS = frozenset(".;:!?()")


class Phrase(NamedTuple):
    """Words that belong together.

    Attributes:
        words: as they stand in the message.
        wanted: whether they are, or else ruled out.
        purpose: whether they say what it is for.
    """

    words: tuple[str, ...]
    wanted: bool
    purpose: bool = False


def read_phrases(text: str, joined: AbstractSet[tuple[str, str]] = frozenset()) -> list[Phrase]:
    """Cut a lower-case text into phrases: at punctuation, at joining words, and where it changes what is wanted.

    Args:
        text: of a message.
        joined: pairs of stems that "and" does not part, as those of macaroni and cheese.
    """
    tokens = _TOKEN.findall(text)
    found: list[Phrase] = []
    words: list[str] = []
    wanted, purpose = True, False

    def end() -> None:
        nonlocal words
        if words:
            found.append(Phrase(tuple(words), wanted, purpose))
        words = []

    place = 0
    while place < len(tokens):
        spoken = tokens[place]
        if (length := _negator(tokens, place)) > 0:
            end()
            wanted, purpose = False, False
            place += length
            continue
        if spoken in _ENDS:
            end()
            wanted, purpose = True, False
        elif spoken == ",":
            end()
            if not wanted and not _goes_on(tokens, place + 1):
                wanted = True
            purpose = False
        elif spoken in _ANDS and words and (stem(words[-1]), stem("".join(tokens[place + 1 : place + 2]))) in joined:
            pass
        elif spoken in english().joins or (wanted and spoken == "but"):
            end()
        elif spoken == "for" and words_said(words):
            end()
            wanted, purpose = True, True
        elif not wanted and spoken in english().positive and (words or spoken != "with"):
            if words_said(words) or spoken == "but":
                end()
                wanted = True
            purpose = False
        else:
            words.append(spoken)
        place += 1
    end()
    return found


def words_said(words: Sequence[str]) -> bool:
    """Whether any of these words says something about items."""
    return any(word not in english().stop for word in words)


def _negator(tokens: Sequence[str], place: int) -> int:
    """How many tokens at `place` say that what follows is not wanted."""
    for words in english().negators:
        if tuple(tokens[place : place + len(words)]) == words:
            return len(words)
    return 0


def _goes_on(tokens: Sequence[str], place: int) -> bool:
    """Whether a list of what is not wanted goes on: "nuts, milk or eggs", but not "nuts, some milk"."""
    for spoken in _until_end(tokens, place):
        if spoken in english().positive or _negator(tokens, place):
            return False
        if spoken in ("or", "nor"):
            return True
        place += 1
    return False


def _until_end(tokens: Sequence[str], place: int) -> Iterator[str]:
    for spoken in tokens[place:]:
        if spoken in _ENDS:
            return
        yield spoken
