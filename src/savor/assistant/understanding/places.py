"""Places of the last list that a message speaks of."""

from savor.assistant.understanding.language import english

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_SHORT = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "10th")
_PLACES = {word: place for words in (_ORDINALS, _SHORT) for place, word in enumerate(words)}
_MOST = 20


def places(text: str) -> tuple[tuple[int, ...], str]:
    """Places of the last list that a text names, from 0 or negative from the end, and the text without them."""
    rules = english().expressions
    found: list[int] = []
    for several in rules["several"].finditer(text):
        number = min(int(several.group(2)), _MOST)
        found += range(number) if several.group(1) == "first" else range(-number, 0)
    text = rules["several"].sub(" ", text)
    found += [max(int(one.group(1)), 1) - 1 for one in rules["by_number"].finditer(text)]
    text = rules["by_number"].sub(" ", text)
    for one in rules["by_ordinal"].finditer(text):
        found.append(_PLACES.get(next(filter(None, one.groups())), -1))
    return tuple(dict.fromkeys(found)), rules["by_ordinal"].sub(" ", text)


def that(text: str) -> tuple[bool, str]:
    """Whether a text speaks of what is in view ("that one"), and the text without it."""
    rule = english().expressions["that"]
    return rule.search(text) is not None, rule.sub(" ", text)
