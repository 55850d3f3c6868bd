"""Conditional and partial requests (RFC 9110, sections 12 to 14)."""

import re

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def names_etag(header: str | None, *etags: str) -> bool:
    """Whether an `If-None-Match` header names one of `etags`, which are given without quotes."""
    if header is None:
        return False
    listed = {part.strip().removeprefix("W/").strip('"') for part in header.split(",")}
    return "*" in listed or not listed.isdisjoint(etags)


def takes_gzip(header: str | None) -> bool:
    """Whether an `Accept-Encoding` header allows gzip."""
    for part in (header or "").lower().split(","):
        coding, _, quality = part.replace(" ", "").partition(";q=")
        if coding in ("gzip", "x-gzip"):
            return not re.fullmatch(r"0(\.0*)?", quality)
    return False


def asked_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The part that a `Range` header asks for, of something of `size` bytes.

    Returns:
        The first byte, and the one after the last; None where all is to be sent: no range is named, several are, or the
        header is of another kind.

    Raises:
        ValueError: the range holds no byte.
    """
    found = _RANGE.fullmatch(header.strip()) if header is not None else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, stop = max(size - int(found[2]), 0), size
    else:
        start, stop = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= stop:
        raise ValueError(f"the file has {size} bytes")
    return start, stop
