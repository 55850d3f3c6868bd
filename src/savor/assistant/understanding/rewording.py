"""What people say in many ways, put as the rules read it."""

import re

from savor.assistant.understanding.knowledge import Knowledge
from savor.assistant.understanding.language import english
from savor.assistant.understanding.phrases import words_said
from savor.assistant.understanding.stems import stems

_SPELLED = re.compile(r"[a-z]+")
_SURELY_MISSPELLED = 6
_NO_ALLERGEN = frozenset(
    ("severe", "serious", "bad", "strong", "food", "known", "slight", "seasonal", "extremely", "highly", "deadly")
)
_ALLERGIC_TO = re.compile(r"\b(?:allerg|intoleran|sensitiv|react)\w*\s+(?:badly\s+)?(?:to|of|against)\b[^.;!?]*")
_FREE = re.compile(
    r"\b(\w+)[\s-]+free\b(?!\s+(?:of|from|range|shipping|delivery))"
    r"(\s+(?:diets?|households?|family|home|house|people|persons?|guests?|kids?))?"
)
_OF_SOMEBODY = re.compile(
    r"\b(?:i\s?a?m|we\s?a?re|(?:he|she|who|husband|wife|son|daughter|kid|friend)\s?(?:is|s)|they\s?a?re|i|we|eats?|go|going)"
    r"(?:\s+(?:strictly|all|an?|on|eat))*\s*$"
)
"""Before "gluten-free": it holds for the person, whatever is wanted."""

_NON = re.compile(r"\bnon[\s-](\w+)")
_MOST = 12


def spelled(said: str, knowledge: Knowledge) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A text with its misspelled words put right, and which those were.

    Beside words that nothing here is called a short one may as well be of another language, or of another matter.
    """
    found: dict[str, str] = {}

    words = _SPELLED.findall(said)
    strange = any(knowledge.strange(word) and knowledge.corrected(word) is None for word in words)

    def corrected(match: re.Match[str]) -> str:
        word = match.group()
        meant = knowledge.corrected(word)
        if meant is None or (strange and len(word) < _SURELY_MISSPELLED):
            return word
        found[word] = meant
        return meant

    return _SPELLED.sub(corrected, said), tuple(found.items())[:_MOST]


def ailments(said: str) -> str:
    """Allergies and the like, as what is ruled out."""
    allergens = english().allergens

    def without(match: re.Match[str]) -> str:
        words = " ".join(group for group in match.groups() if group).split()
        named = [word for word in words if word not in _NO_ALLERGEN and word not in english().stop]
        if not named or words[-1] not in named:
            return match.group()
        return f" ; without {' '.join(allergens.get(word, word) for word in words)} ; "

    said = _ALLERGIC_TO.sub(lambda match: " ".join(allergens.get(word, word) for word in match.group().split()), said)
    said = english().expressions["allergy"].sub(without, said)
    return english().expressions["ill"].sub(without, said)


def attributes(said: str) -> tuple[str, list[str]]:
    """What is free of something or has none added, as ruled out; and what of it is said of the thing behind it."""
    passing: list[str] = []

    def without(match: re.Match[str]) -> str:
        word = next(group for group in match.groups() if group)
        of_somebody = match.re is _FREE and (match.group(2) or _OF_SOMEBODY.search(match.string[: match.start()]))
        if not of_somebody and words_said(re.split(r"[.,;:!?()]", match.string[match.end() :])[0].split()):
            passing.append(word)
        return f" ; without {word} ; "

    said = english().expressions["not_added"].sub(without, said)
    return _FREE.sub(without, said), passing


def non(said: str, knowledge: Knowledge) -> str:
    """`non alcoholic` rules out what is alcoholic, unless something is called so."""

    def replaced(match: re.Match[str]) -> str:
        called = knowledge.items_with(stems(match.group())).any()
        return match.group().replace("-", " ") if called else f" ; without {match.group(1)} ; "

    return _NON.sub(replaced, said)
