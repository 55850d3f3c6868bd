"""Prices, numbers of people and numbers of items in a message."""

import re
from dataclasses import dataclass

from savor.assistant.understanding.language import english

_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100,
}  # fmt: skip
_NOTES = (
    (re.compile(r"\b(?:a\s+|one\s+)?(?:fiver|5er)\b"), "5 dollars"),
    (re.compile(r"\b(?:a\s+|one\s+)?tenner\b"), "10 dollars"),
    (re.compile(r"\b(?:a|one)\s+(?:dollar|buck|euro)\b"), "1 dollar"),
    (re.compile(r"\ba\s+couple\s+of\s+(?:dollars|bucks|euros)\b"), "2 dollars"),
)
_NUMBER = r"(\d{1,6}(?:[.,]\d{1,2})?)"
_UNIT = r"(\s*(?:dollars?|bucks?|usd|euros?|eur|pounds?|gbp|cents?|each|\$|€|£)(?!\w))?"
_CURRENCY = r"([\s-]*(?:dollars?|bucks?|usd|euros?|eur|quid|gbp|cents?)(?!\w)|\s*[$€£])"
_NO_SIZE = r"(?!\s*(?:[\w.,%-]*\d|%|oz\b|fl\b|lbs?\b|l\b|ml\b|kg\b|g\b|gal|qt|pt|ct))"
_END = r"(?=\s*(?:$|[.,;!?]|please\b|each\b))"
_MONEY = rf"(?:[$€£]\s*)?{_NUMBER}{_UNIT}(?!\s*(?:%|percent|people|persons|guests|oz\b|lb|pack))"
_BELOW = r"(?:for\s+|costs?\s+|priced\s+)?(?:under|below|less\s+than|cheaper\s+than|lower\s+than|<(?!=))"
_UP_TO = (
    r"(?:for\s+|costs?\s+|priced\s+)?(?:at\s+most|up\s+to|no\s+more\s+than|not\s+more\s+than|not\s+over|not\s+above|"
    r"maximum(?:\s+of)?|max(?:imum)?\.?|within|<=|(?:with\s+)?(?:a|my)?\s*budget(?:\s+(?:of|is))?)"
)
_OVER = r"(?:costs?\s+)?(?:over|above|more\s+than|>(?!=))"
_ABOVE = r"(?:costs?\s+)?(?:at\s+least|minimum(?:\s+of)?|min\.?|starting\s+at|>=)"
_ABOUT_WORDS = r"(?:around|about|roughly|approximately|circa)"
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("between", re.compile(rf"\bbetween\s+{_MONEY}\s+and\s+{_MONEY}")),
    ("between", re.compile(rf"\bfrom\s+{_MONEY}\s+to\s+{_MONEY}")),
    ("between", re.compile(rf"[$€£]\s*{_NUMBER}{_UNIT}\s*(?:-|to)\s*{_MONEY}")),
    ("below", re.compile(rf"(?<!\w){_BELOW}\s*{_MONEY}")),
    ("most", re.compile(rf"(?<!\w){_UP_TO}\s*{_MONEY}")),
    ("most", re.compile(rf"(?<!\w){_MONEY}\s+(?:or\s+(?:less|under|below|cheaper)|max(?:imum)?|at\s+most|tops)\b")),
    ("about", re.compile(rf"\b{_ABOUT_WORDS}\s+[$€£]\s*{_NUMBER}{_UNIT}")),
    ("about", re.compile(rf"\b{_ABOUT_WORDS}\s+{_NUMBER}(\s*(?:dollars?|bucks?|euros?|pounds?))")),
    ("about", re.compile(rf"\b{_ABOUT_WORDS}\s+{_NUMBER}(){_END}")),
    ("over", re.compile(rf"(?<!\w){_OVER}\s*{_MONEY}")),
    ("least", re.compile(rf"(?<!\w){_ABOVE}\s*{_MONEY}")),
    ("least", re.compile(rf"(?<!\w){_MONEY}\s+(?:or\s+more|and\s+up|upwards)\b")),
    ("between", re.compile(rf"(?<![\w.,-]){_NUMBER}{_UNIT}\s*(?:-|to)\s*{_NUMBER}{_CURRENCY}")),
    ("between", re.compile(rf"(?<![\w.,-])(?<!\bfor\s){_NUMBER}()\s?-\s?{_NUMBER}(){_END}")),
    ("most", re.compile(rf"(?<!\w)[$€£]\s*{_NUMBER}{_UNIT}")),
    ("most", re.compile(rf"\bfor\s+{_NUMBER}(\s*(?:dollars?|bucks?|euros?|pounds?|cents?))")),
    ("most", re.compile(rf"(?<![\w.,-]){_NUMBER}{_CURRENCY}")),
    ("most", re.compile(rf"(?<![\w.,-])(\d{{1,4}}\.\d\d)(){_NO_SIZE}")),
)  # fmt: skip
_PEOPLE = (
    re.compile(r"\b(?:for|feeds?|serves?|serving|party\s+of|family\s+of|group\s+of)\s+(?:a\s+(?:party|family|group)\s+of\s+)?(\d{1,3})\b(?!\s*(?:dollars?|bucks?|euros?|pounds?|cents?|days?|weeks?|minutes?|mins?|hours?|oz|lb|%|percent))"),
    re.compile(r"\b(\d{1,3})\s+(?:people|persons|guests|kids|children|adults|of\s+us|eaters|friends)\b"),
    re.compile(r"\bwe\s*a?re\s+(\d{1,3})\b"),
)  # fmt: skip
_ALONE = re.compile(r"\bfor\s+(?:one(?:\s+person)?|myself|just\s+me|me\s+alone)\b")
_ITEMS = (
    re.compile(
        r"\b(?:show|give|find|suggest|recommend|list|name)(?:\s+me)?(?:\s+(?:up\s+to|about|the))?\s+(\d{1,2})\b"
    ),
    re.compile(r"\b(?:top|best)\s+(\d{1,2})\b"),
    re.compile(r"\b(\d{1,2})\s+(?:ideas|options|suggestions|items|things|products|choices|recommendations)\b"),
)
_ABOUT = 0.25
STRICT = 0.0001
"""How far a bound that is not reached itself lies off what was said."""

_MOST_ITEMS = 20


@dataclass(frozen=True)
class Amounts:
    """Numbers that a message gives.

    Attributes:
        price_min: least price; None where none is said.
        price_max: highest price.
        people: how many are to be served.
        number: how many items are wanted, at most 20.
        rest: the message without them; `;` stands where they were.
        total: whether the price is that of everything together.
    """

    price_min: float | None
    price_max: float | None
    people: int | None
    number: int | None
    rest: str
    total: bool = False


def read_amounts(text: str) -> Amounts:
    """Find the amounts in a lower-case text without accents."""
    for rule, money in _NOTES:
        text = rule.sub(money, text)
    text = re.sub(rf"\b({'|'.join(_WORDS)})\b(?!\s+percent)", lambda found: str(_WORDS[found.group()]), text)
    together = english().expressions["total"].search(text) is not None
    least: float | None = None
    most: float | None = None
    for kind, rule in _RULES:
        while (found := rule.search(text)) is not None:
            amounts = _money(found.groups())
            text = f"{text[: found.start()]} ; {text[found.end() :]}"
            if kind == "between":
                least, most = min(amounts), max(amounts)
            elif kind == "about":
                least, most = round(amounts[0] * (1 - _ABOUT), 2), round(amounts[0] * (1 + _ABOUT), 2)
            elif kind in ("most", "below"):
                bound = max(amounts[0] - (STRICT if kind == "below" else 0), 0.0)
                most = bound if most is None else min(most, bound)
            else:
                bound = amounts[0] + (STRICT if kind == "over" else 0)
                least = bound if least is None else max(least, bound)
    total = together and (least, most) != (None, None)
    if total:
        text = english().expressions["total"].sub(" ", text)
    people: int | None = None
    if (found := _ALONE.search(text)) is not None:
        people, text = 1, f"{text[: found.start()]} ; {text[found.end() :]}"
    for rule in _PEOPLE:
        if (found := rule.search(text)) is not None:
            people, text = max(int(found.group(1)), 1), f"{text[: found.start()]} ; {text[found.end() :]}"
            text = re.sub(r";\s*(?:people|persons|guests|kids|children|adults|of us)\b", "; ", text)
    number: int | None = None
    for rule in _ITEMS:
        if (found := rule.search(text)) is not None:
            number = min(max(int(found.group(1)), 1), _MOST_ITEMS)
            text = f"{text[: found.start()]} {text[found.end() :]}"
    return Amounts(least, most, people, number, text, total)


def _money(groups: tuple[str | None, ...]) -> list[float]:
    """Pairs of number and unit as money."""
    amounts = []
    for number, unit in zip(groups[::2], groups[1::2], strict=True):
        if number is not None:
            value = float(number.replace(",", "."))
            amounts.append(value / 100 if unit and "cent" in unit else value)
    return amounts
