"""How people ask, in one language."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_ESCAPED = re.compile(r"\\[a-zA-Z]")
_WORD = re.compile(r"[a-z]{3,}")
Rules = Mapping[str, re.Pattern[str]]


@dataclass(frozen=True)
class Language:
    """Words that say nothing of items, and expressions with a meaning of their own; see english.toml.

    Attributes:
        stop: words that say nothing of items.
        positive: words after which what follows is wanted again.
        joins: words and signs between phrases.
        phrasing: words that may be said of any list.
        negators: words after which what follows is not wanted, the longer ones first.
        known: words that are no misspelling of others, as these rules go by them.
        allergens: concepts by what people call them where they speak of an allergy.
        expressions: by name.
        critiques, levels, courtesy, services, allowed, outside: by what they mean, in the order of trial.
    """

    stop: frozenset[str]
    positive: frozenset[str]
    joins: frozenset[str]
    phrasing: frozenset[str]
    negators: tuple[tuple[str, ...], ...]
    known: frozenset[str]
    expressions: Rules
    critiques: Rules
    levels: Rules
    courtesy: Rules
    services: Rules
    allergens: Mapping[str, str]
    allowed: Rules
    outside: Rules


@cache
def english() -> Language:
    """The one language that is there."""
    written = files("savor.assistant.understanding").joinpath("english.toml").read_text("utf-8")
    document = tomllib.loads(written)
    words = document["words"]

    def listed(name: str) -> frozenset[str]:
        return frozenset(words[name].split())

    def rules(name: str) -> Rules:
        return {key: re.compile(rule, re.VERBOSE) for key, rule in document[name].items()}

    return Language(
        stop=listed("stop"),
        positive=listed("positive"),
        joins=listed("joins"),
        phrasing=listed("phrasing"),
        negators=tuple(sorted((tuple(one.split()) for one in words["negators"]), key=lambda one: -len(one))),
        known=frozenset(_WORD.findall(_ESCAPED.sub(" ", written))),
        expressions=rules("expressions"),
        critiques=rules("critiques"),
        levels=rules("levels"),
        courtesy=rules("courtesy"),
        services=rules("services"),
        allergens=document["allergens"],
        allowed=rules("allowed"),
        outside=rules("outside"),
    )
