"""How histories and ratings are put to a language model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_ARTICLE = re.compile(r"^(.*), (The|A|An)$")
_MOST_CHARACTERS = 80


@dataclass(frozen=True)
class Wording:
    """Words around names.

    Attributes:
        heading: stands above a history, oldest first.
        nothing: stands in the place of heading and history where nothing is known of a person.
        following: leads to what comes next.
        ratings: stands above what a person rated.
    """

    heading: str = "Things one person chose, in this order:"
    nothing: str = "Something that a person may choose."
    following: str = "Next:"
    ratings: str = "How one person rated, from 1 (bad) to 5 (excellent):"

    def history(self, names: Sequence[str]) -> str:
        """The prompt after which a name is the answer; names oldest first."""
        if not names:
            return f"{self.nothing}\n{self.following}"
        return "\n".join([self.heading, *(f"- {readable(name)}" for name in names), self.following])

    def rated(self, past: Sequence[tuple[str, float]], name: str) -> str:
        """The prompt after which a rating is the answer; `past` oldest first."""
        lines = [f"{readable(title)}: {rating:g}" for title, rating in past]
        return "\n".join([self.ratings, *lines, f"{readable(name)}: "])

    @staticmethod
    def answer(name: str) -> str:
        """A name as the answer."""
        return f" {readable(name)}"


def readable(name: str) -> str:
    """On one line, at most 80 characters, its article in front: `Matrix, The` is `The Matrix`."""
    line = " ".join(name.split())[:_MOST_CHARACTERS].rstrip() or "?"
    turned = _ARTICLE.match(line)
    return f"{turned.group(2)} {turned.group(1)}" if turned else line
