"""What of a wish holds for a list."""

from collections.abc import Sequence
from dataclasses import replace

from savor.assistant.found import Note
from savor.assistant.state import Conversation


def holding(want: Conversation, notes: Sequence[Note]) -> Conversation:
    """The wish as far as it was found: things by what they were taken for, without the qualities that nothing has."""
    labels = {note.about: note.more for note in notes if note.kind == "part"}
    missing = {note.about for note in notes if note.kind in ("unknown_thing", "near")}
    dropped = {note.about for note in notes if note.kind == "quality_dropped"}
    things = dict.fromkeys(labels.get(one, one) for one in want.things if one not in missing)
    return replace(want, things=tuple(things), qualities=tuple(one for one in want.qualities if one not in dropped))
