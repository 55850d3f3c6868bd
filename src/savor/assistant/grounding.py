"""Whether a sentence speaks of the list and of nothing else."""

import re
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet

from savor.assistant.described import Item
from savor.assistant.understanding.language import english
from savor.assistant.understanding.stems import stem, stems

_CITED = re.compile(r"\[([^\[\]]{1,256})\]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_STRANGE = re.compile(r"https?:|www\.|@|[<>{}|\\`]|[\x00-\x1f\x7f]")
_COSTS = re.compile(
    r"\[([^\[\]]{1,256})\]\W*(?:(?:at|for|is|are|costs?|costing|priced|only|just)\W+){1,3}(\d+(?:[.,]\d+)?)",
    re.IGNORECASE,
)
_SUITS = re.compile(
    r"\b(?:good|better|best|great|right|fine|ok|okay|ideal|perfect|suitable)\s+for\s+(?:(?:your|my|the|a|an|all)\s+)?"
    r"(?:you|him|her|them|us|all|wife|husband|partner|girlfriend|boyfriend|son|daughter|mother|father|mom|mum|dad|people|"
    r"person|guests|kids?|child|children|bab(?:y|ies)|everyone|everybody|anyone|anybody)\b"
)


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


_PROMISES = _stems("""
no not non nor never none nothing nobody neither without free safe safely sure surely avoid except instead less zero
contain containing contains include including includes made eat eating drink drinking everyone everybody
allergy allergic allergen intolerant intolerance diet dietary diabetic healthy healthier
""")
"""What tells of the inside of a product, or for whom it is: a name and a category do not say that."""

_HABITS = _stems("popular usual usually regularly often bought buying ago yesterday day week month times twice once")
"""What tells of people: only where the reason of an item that is named says so."""

_CHEAP = frozenset({"cheap", "cheaper", "cheapest"})

_LONGEST = 400


class Grounding:
    """Checks sentences of a language model against one list.

    A sentence may name an item only by its id in square brackets, ids must be those of the list, numbers those of its
    names, prices and reasons or of the wish. Its words must be those of the items that are named, of the wish, or of
    the few hundred that may be said of any list, of which it must have one: what is on none of these lists is not said.
    What may not be promised is said only of items that are called so: that something is not in them, and `unsaid`.

    Args:
        items: the list.
        asked: what was wanted, whose words may be said again.
        unsaid: diets, and what is ruled out: whether they hold is not for a model to say.
    """

    def __init__(self, items: Sequence[Item], asked: str, unsaid: Sequence[str] = ()) -> None:
        self._items = {str(item["item_id"]): item for item in items}
        self._unsaid = _PROMISES | {word for phrase in unsaid for word in stems(phrase)}
        self._asked = frozenset(stems(asked))
        self._phrasing = frozenset(map(stem, english().phrasing))
        self._asked_numbers = {_figure(one) for one in _NUMBER.findall(asked)}

    def accepts(self, sentence: str) -> bool:
        """Whether a sentence may be shown."""
        if len(sentence) > _LONGEST or _STRANGE.search(sentence):
            return False
        cited = cites(sentence)
        left = _CITED.sub(" ", sentence)
        if "[" in left or "]" in left or any(name not in self._items for name in cited):
            return False
        named = [self._items[name] for name in dict.fromkeys(cited)]
        return (
            self._counts(sentence, left, named)
            and self._well_named(sentence)
            and self._speaks(_WORD.findall(left), named)
            and not _SUITS.search(left.casefold())
        )

    def _counts(self, sentence: str, left: str, named: Sequence[Item]) -> bool:
        """Whether numbers are those of the items named or of the wish, and prices those of the items before them."""
        numbers = {_figure(one) for item in named for one in _NUMBER.findall(_text(item))} | self._asked_numbers
        numbers |= {_figure(f"{item['price']:.2f}") for item in named if item["price"] is not None}
        return all(_figure(one) in numbers for one in _NUMBER.findall(left)) and all(
            self._costs(name, figure) for name, figure in _COSTS.findall(sentence)
        )

    def _speaks(self, words: Sequence[str], named: Sequence[Item]) -> bool:
        """Whether words are of the items named, of the wish or of any list, and promise nothing."""
        spoken = {word for one in words for word in stems(one)}
        own = [{*stems(f"{item['name']} {item['category'] or ''}")} for item in named]
        promised = spoken & self._unsaid
        if promised and not (own and all(promised <= one for one in own)):
            return False
        known = {word for item in named for word in stems(_text(item))} | self._asked
        if not spoken & _HABITS <= known or not self._priced_so(spoken, named):
            return False
        return not spoken.isdisjoint(self._phrasing) and all(self._may_be_said(one, known) for one in words)

    def _well_named(self, sentence: str) -> bool:
        """Whether the words before an id are of that item, or of the one before it."""
        own: frozenset[str] = frozenset()
        *before, _ = _CITED.split(sentence)
        for words, name in zip(before[::2], before[1::2], strict=True):
            earlier, own = own, frozenset(stems(_text(self._items[name])))
            if not all(self._may_be_said(one, own | earlier | self._asked) for one in _WORD.findall(words)):
                return False
        return True

    def _costs(self, name: str, figure: str) -> bool:
        """Whether a number behind an item is its price, or one of the wish."""
        price = self._items[name]["price"]
        own = set() if price is None else {_figure(f"{price:.2f}")}
        return _figure(figure) in own | self._asked_numbers

    def _priced_so(self, spoken: AbstractSet[str], named: Sequence[Item]) -> bool:
        """Whether items are as cheap beside the others as a sentence says."""
        prices = [item["price"] for item in self._items.values() if item["price"] is not None]
        own = [item["price"] for item in named if item["price"] is not None]
        if stem("expensive") in spoken:
            return False
        if not spoken & _CHEAP:
            return True
        if len(own) != 1:
            return False
        return bool(own[0] <= min(prices) if "cheapest" in spoken else own[0] < max(prices))

    def _may_be_said(self, spoken: str, known: Collection[str]) -> bool:
        if spoken.casefold() in english().stop:
            return True
        return all(part in known or part in self._phrasing for part in stems(spoken))


def cites(sentence: str) -> list[str]:
    """Ids of the items that a sentence names."""
    return _CITED.findall(sentence)


def _text(item: Item) -> str:
    return f"{item['name']} {item['category'] or ''} {item['reason']['text']}"


def _figure(text: str) -> float:
    return float(text.replace(",", "."))
