"""What people say, and by which words a catalogue knows it."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Literal

from pydantic import Field

from savor.assistant.understanding.stems import stems
from savor.core.config import Section
from savor.core.errors import ConfigError

_AND = "and"
ANOTHER = "@"
"""Stands before the name of a concept whose words are taken."""


class Concept(Section):
    """Something that people ask for by other words than those of the catalogue."""

    kind: Literal["thing", "quality", "diet", "ingredient"] = Field(
        "thing",
        description="`thing`: what is wanted itself. `quality`: goes with any thing, as quick does. `diet`: a quality "
        "that holds for the whole conversation. `ingredient`: only to be ruled out; who wants it means its own words.",
    )
    said: tuple[str, ...] = Field((), description="How people say it, beside its name.")
    words: tuple[str, ...] = Field(
        (),
        description="What items of it are called: one or more words that an item must all have; `@name` stands for "
        "those of another concept. Without any, it only rules out.",
    )
    never: tuple[str, ...] = Field(
        (),
        description="Words that make an item something else, for who wants the concept; written as `words`. A saying "
        "that stands in one of them does not mean the concept, as `light` in `light bulb` does not mean healthy.",
    )
    safe: tuple[str, ...] | None = Field(
        None,
        description="Words that make an item surely something else, for who rules the concept out; none: those of "
        "`never`.",
    )
    without: tuple[str, ...] = Field((), description="Names of concepts that it rules out.")
    within: str | None = Field(None, description="Name of a concept that all of it belongs to.")
    columns: tuple[str, ...] = Field((), description="Columns to look for the words in; none: every one.")
    partly: bool = Field(
        False, description="Names and categories tell only a part of it, as of what is in a product; answers say so."
    )


@dataclass(frozen=True)
class Lexicon:
    """Concepts by name, and words that catalogues write short."""

    concepts: Mapping[str, Concept]
    short: Mapping[str, str]

    @classmethod
    def standard(cls, more: Mapping[str, Concept] | None = None) -> "Lexicon":
        """What comes with Savor, for groceries and the household, changed and added to by `more`.

        Raises:
            ConfigError: a concept names another that is not there.
        """
        document = tomllib.loads(files("savor.assistant.understanding").joinpath("lexicon.toml").read_text("utf-8"))
        concepts = {name: Concept.model_validate(value) for name, value in document["concepts"].items()}
        made = cls({**concepts, **(more or {})}, document["short"])
        if problems := [*made._dangling()]:
            raise ConfigError(problems)
        return made

    def _dangling(self) -> Iterator[str]:
        for name, concept in self.concepts.items():
            written = (*concept.words, *concept.never, *(concept.safe or ()))
            named = [word.removeprefix(ANOTHER) for word in written if word[:1] == ANOTHER]
            for other in (*named, *concept.without, *([concept.within] if concept.within else [])):
                if other not in self.concepts:
                    yield f"assistant.concepts.{name} names the concept {other!r}, which is not there"

    @cached_property
    def sayings(self) -> Mapping[tuple[str, ...], str]:
        """From the stems of each way of saying, without "and", to the name of the concept; an exact name wins."""
        found: dict[tuple[str, ...], str] = {}
        for name, concept in self.concepts.items():
            for saying in concept.said:
                found.setdefault(_without_and(saying), name)
        found |= {_without_and(name): name for name in self.concepts}
        return found

    @cached_property
    def joined(self) -> frozenset[tuple[str, str]]:
        """Pairs of stems that a saying has with "and" between them."""
        said = [stems(saying) for concept in self.concepts.values() for saying in concept.said]
        return frozenset(
            (one[place - 1], one[place + 1]) for one in said for place in range(1, len(one) - 1) if one[place] == _AND
        )

    @cached_property
    def longest(self) -> int:
        """How many words the longest saying has."""
        return max(map(len, self.sayings), default=0)

    def names_thing(self, name: str) -> bool:
        """Whether a concept is of things, or of what things are made of."""
        return self.concepts[name].kind in ("thing", "ingredient")

    def phrases(self, name: str, field: Literal["words", "never", "safe"]) -> list[tuple[str, ...]]:
        """Stems of the words of a concept, those of the ones it takes from among them."""
        found: dict[tuple[str, ...], None] = {}
        concept = self.concepts[name]
        written = concept.never if field == "safe" and concept.safe is None else getattr(concept, field)
        waiting, seen = list(written), {name}
        while waiting:
            word = waiting.pop()
            if not word.startswith(ANOTHER):
                found[stems(word)] = None
            elif (other := word.removeprefix(ANOTHER)) not in seen:
                seen.add(other)
                waiting += self.concepts[other].words
        return [phrase for phrase in found if phrase]


def _without_and(saying: str) -> tuple[str, ...]:
    return tuple(word for word in stems(saying) if word != _AND)
