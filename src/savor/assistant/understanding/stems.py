"""Words in the form in which they are compared."""

import re
from collections.abc import Mapping
from functools import lru_cache

from savor.pipeline.word_index import words_of

_SHORTEST = 4
_PIECES = re.compile(r"\s*[/&,]\s*")
_MAIN = re.compile(r"\s+-\s+|\s*[:(]")
_NO_PLURAL = ("ss", "us", "is")


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """A lower-case English word without the endings that do not matter: `cookies`, `cookie` -> `cooki`."""
    if len(word) >= _SHORTEST and word.endswith("s") and not word.endswith(_NO_PLURAL):
        word = word[:-1]
    if word.endswith("e") and (len(word) > _SHORTEST or word.endswith("xe")):
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) >= _SHORTEST else word


def stems(text: str, expansions: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The stems of a text, in order; words that are short for others (`frzn`) stand for those."""
    found: list[str] = []
    for word in words_of(text):
        longer = expansions.get(word) if expansions else None
        found += [stem(one) for one in (longer.split() if longer else (word,))]
    return tuple(found)


def heads(text: str, expansions: Mapping[str, str] | None = None, *, first: bool = False) -> frozenset[str]:
    """The stems that the name of something speaks of first of all.

    Of "white bread" that is bread, of "oranges navel" oranges (what comes first in the plural), of "rice - instant"
    rice, of "coffee filters" filters. Of several pieces, one word behind a longer piece goes on with that; `first`
    takes the first piece alone.
    """
    found: set[str] = set()
    longest = 0
    for piece in _PIECES.split(_MAIN.split(text)[0])[: 1 if first else None]:
        spoken, words = words_of(piece), stems(piece, expansions)
        if not words or len(spoken) < min(longest, 2):
            continue
        longest = max(longest, len(spoken))
        plural = spoken[0].endswith("s") and not spoken[0].endswith(_NO_PLURAL)
        found.add(words[0] if plural else words[-1])
    return frozenset(found)
