"""A wish in nothing but words of the catalogue and ways of saying a concept."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from savor.assistant.found import Note
from savor.assistant.meanings import Meanings
from savor.assistant.state import Conversation
from savor.assistant.understanding.knowledge import Knowledge, Mask
from savor.assistant.wish import PURPOSE

_LONGEST = 80
"""Characters of a phrase that is kept."""


def matched(want: Conversation, knowledge: Knowledge, meanings: Meanings, notes: Sequence[Note] = ()) -> Conversation:
    """What of a wish may be kept, and shown to a language model: only what something here is called.

    People write names, addresses and illnesses beside what they look for. Of a phrase that is matched in part that part
    stays, of a thing that is near in meaning the category it is near to, of everything else nothing.

    Args:
        want: as it was said.
        knowledge: of the catalogue.
        meanings: nearness in meaning.
        notes: of what was found; a quality that nothing had is in them.
    """
    dropped = {note.about for note in notes if note.kind == "quality_dropped"}
    qualities = [one for one in want.qualities if one not in dropped]
    without = _short(one for one in want.without if knowledge.ruled_out(one).kind != "unknown")
    return replace(
        want,
        things=_short(_thing(one, knowledge, meanings) for one in want.things),
        qualities=_short(_quality(one, knowledge) for one in qualities),
        without=without,
        passing=tuple(one for one in without if one in want.passing),
        like_phrase="",
        beside_phrase=want.beside_phrase if want.beside else "",
    )


def _quality(phrase: str, knowledge: Knowledge) -> str:
    """As much of a quality as something is called, or of what it is for."""
    purpose = PURPOSE if phrase.startswith(PURPOSE) else ""
    called = _called(phrase.removeprefix(PURPOSE), knowledge)
    return purpose + called if called else ""


def _thing(phrase: str, knowledge: Knowledge, meanings: Meanings) -> str:
    if called := _called(phrase, knowledge):
        return called
    near = meanings.nearest(phrase)
    return "" if near is None else _category(near, knowledge)


def _called(phrase: str, knowledge: Knowledge) -> str:
    """As much of a phrase as something is called."""
    meaning = knowledge.meaning(phrase)
    return "" if meaning.kind == "unknown" else meaning.label


def _category(items: Mask, knowledge: Knowledge) -> str:
    """The narrowest category that most of some items have; "" where they have none."""
    columns = list(knowledge.catalogue.categories.values())
    if not columns:
        return ""
    counts = np.bincount(columns[-1].codes[items], minlength=len(columns[-1].values))
    counts[0] = 0
    return columns[-1].values[int(counts.argmax())].lower() if counts.any() else ""


def _short(phrases: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one[:_LONGEST] for one in phrases if one))
