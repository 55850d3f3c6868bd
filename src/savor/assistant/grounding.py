"""Whether a sentence speaks of the list and of nothing else."""

import re
from collections.abc import Collection, Sequence

from savor.assistant.described import Item
from savor.assistant.understanding.language import english
from savor.assistant.understanding.stems import stem, stems

_CITED = re.compile(r"\[([^\[\]]{1,256})\]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_STRANGE = re.compile(r"https?:|www\.|@|[<>{}|\\`]|[\x00-\x1f\x7f]")
_LONGEST = 400


class Grounding:
    """Checks sentences of a language model against one list.

    A sentence may name an item only by its id in square brackets, ids must be those of the list, numbers those of its
    names, prices and reasons or of the wish. Its words must be those of the items that are named, of the wish, or of
    the few hundred that may be said of any list: what is on none of these lists is not said.

    Args:
        items: the list.
        asked: what was wanted, whose words may be said again.
    """

    def __init__(self, items: Sequence[Item], asked: str) -> None:
        self._items = {str(item["item_id"]): item for item in items}
        self._asked = frozenset(stems(asked))
        self._phrasing = frozenset(map(stem, english().phrasing))
        self._asked_numbers = {_figure(one) for one in _NUMBER.findall(asked)}

    def accepts(self, sentence: str) -> bool:
        """Whether a sentence may be shown."""
        if len(sentence) > _LONGEST or _STRANGE.search(sentence):
            return False
        cited = _CITED.findall(sentence)
        if any(name not in self._items for name in cited):
            return False
        left = _CITED.sub(" ", sentence)
        if "[" in left or "]" in left:
            return False
        named = [self._items[name] for name in dict.fromkeys(cited)]
        texts = [f"{item['name']} {item['category'] or ''} {item['reason']['text']}" for item in named]
        numbers = {_figure(one) for text in texts for one in _NUMBER.findall(text)} | self._asked_numbers
        numbers |= {_figure(f"{item['price']:.2f}") for item in named if item["price"] is not None}
        if any(_figure(one) not in numbers for one in _NUMBER.findall(left)):
            return False
        known = {word for text in texts for word in stems(text)} | self._asked
        return all(self._may_be_said(spoken, known) for spoken in _WORD.findall(left))

    def _may_be_said(self, spoken: str, known: Collection[str]) -> bool:
        if spoken.casefold() in english().stop:
            return True
        return all(part in known or part in self._phrasing for part in stems(spoken))


def _figure(text: str) -> float:
    return float(text.replace(",", "."))
