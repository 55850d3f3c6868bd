"""Ids as they come over HTTP: text or whole numbers, text inside."""

from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST = 256
_LARGEST = 2**63 - 1


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("an id must not hold control characters")
    return text


Identifier = (
    Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_printable)]
    | Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
)
"""A string of 1 to 256 printable characters, or a 64-bit integer; answers echo it as it came."""

PathIdentifier = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_printable)]
"""The same as a part of a path, where everything is text."""
