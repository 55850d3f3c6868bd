"""Words that are written wrongly."""

import string
from collections.abc import Iterator, Mapping
from functools import lru_cache

_SHORTEST = 4
_LETTERS = string.ascii_lowercase
_REMEMBERED = 4096


class Spelling:
    """Finds the word that was meant: one letter more, less, other, or two changed about, behind the same first letter.

    Letters that are doubled, not doubled or changed about, which are what people mistake most, are tried first.

    Safe from several threads.

    Args:
        words: lower-case words that may be meant, and how often each stands for something: of several the commonest.
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        self._words = {word: number for word, number in words.items() if len(word) >= _SHORTEST}
        self.corrected = lru_cache(_REMEMBERED)(self._corrected)

    def _corrected(self, word: str) -> str | None:
        """The word that was meant; None where none is near enough, or the word is too short to tell."""
        if len(word) < _SHORTEST or not word.isalpha() or not word.isascii():
            return None
        for ways in (_slips, _off_by_one):
            near = {one for one in ways(word) if one in self._words}
            if near:
                return min(near, key=lambda one: (-self._words[one], one))
        return None


def _slips(word: str) -> Iterator[str]:
    for place in range(1, len(word)):
        head, tail = word[:place], word[place:]
        yield head + head[-1] + tail
        if head[-1] == tail[0]:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]


def _off_by_one(word: str) -> Iterator[str]:
    for place in range(1, len(word) + 1):
        head, tail = word[:place], word[place:]
        for letter in _LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
        if tail:
            yield head + tail[1:]
