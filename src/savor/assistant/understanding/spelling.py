"""Words that are written wrongly."""

import string
from collections.abc import Iterator, Mapping
from functools import lru_cache

_SHORTEST = 4
_LETTERS = string.ascii_lowercase
_REMEMBERED = 4096


class Spelling:
    """Finds the word that was meant: one letter more, less, other, or two changed about, behind the same first letter.

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
        near = {one for one in _off_by_one(word) if one in self._words}
        return min(near, key=lambda one: (-self._words[one], one), default=None)


def _off_by_one(word: str) -> Iterator[str]:
    for place in range(1, len(word) + 1):
        head, tail = word[:place], word[place:]
        for letter in _LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
