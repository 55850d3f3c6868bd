"""Questions about what an item of the list is or has."""

import re

from savor.assistant.understanding.knowledge import Knowledge
from savor.assistant.understanding.language import english
from savor.assistant.understanding.phrases import read_phrases
from savor.assistant.understanding.places import places
from savor.assistant.understanding.reading import Reading

_PLURAL = frozenset({"these", "those", "they", "them", "ones"})
_FREE = re.compile(r"[\s-]+free\b")
_THERE = re.compile(r"\b(?:is|are)\s+there\b")
_MOST, _LONGEST = 12, 60


def question(said: str, knowledge: Knowledge, *, listed: bool) -> Reading | None:
    """A question about what an item of the list is or has; None where it is none."""
    rules = english().expressions
    match = rules["property"].search(said)
    if match is None or rules["price"].search(said) or rules["why"].search(said):
        return None
    subject = match.group(1)
    found = places(said)[0] if listed else ()
    every = not found and not _PLURAL.isdisjoint(subject.split())
    about: list[str] = []
    before = said[: match.start(1)] if _THERE.search(said) else ""
    for phrase in read_phrases(_FREE.sub(" ", f"{before} ; {said[match.end() :]}"), knowledge.joined)[:_MOST]:
        words = [word for word in phrase.words if word not in english().stop]
        if words and (spoken := " ".join(words)[:_LONGEST]):
            about.append(spoken)
    return Reading(asks="property", refers_to=found, points=not found, every=every, about=tuple(dict.fromkeys(about)))
