"""Judges the words of a language model."""

import re
from collections.abc import Collection

CITED = re.compile(r"\[([^\[\]]{1,64})\]")
_FORM = re.compile(r"\b(?:wish|list|found)\s*:|^\W*\[|;\s*price\s+\d", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST = 3


def spoken_wrong(message: str, listed: Collection[str], shown: str = "") -> str:
    """What is wrong with a message as words to a list; "" for nothing.

    Args:
        message: of a language model, without the notes that come behind it.
        listed: ids of the items of the list.
        shown: all that the model was shown.
    """
    if _FORM.search(message):
        return "an echo of the prompt"
    for sentence in _SENTENCE.split(message.strip()):
        bare = " ".join(CITED.sub(" ", sentence).split())
        if len(bare) > 1 and bare.casefold() in " ".join(CITED.sub(" ", shown).split()).casefold():
            return "an echo of the prompt"
        if len(_WORD.findall(bare)) < _FEWEST:
            return "a sentence that says nothing"
    if not any(name in listed for name in CITED.findall(message)):
        return "no listed item is named"
    return ""
