"""One event, checked: what `POST /events` takes is what is kept on the device."""

import math
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from savor_edge.errors import EdgeError

LONGEST_ID = 256
LONGEST_TEXT = 2000
_KIND = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,63}")
_LATEST = 253_402_300_799_999
_LARGEST_SECONDS = 10**11
_DAY = 86_400_000
_NAMES = ("event_id", "recommendation_id", "variant")
_IDS = ("user_id", "item_id", "basket_id")
_NUMBERS = ("value", "price", "propensity")
_PARTS = frozenset({*_NAMES, *_IDS, *_NUMBERS, "kind", "time", "position", "search"})


def checked_event(said: Mapping[str, Any], now: int) -> dict[str, Any]:
    """An event as it is kept: ids as text, `time` in UTC milliseconds, an `event_id` where none is given.

    Args:
        said: `user_id`, `kind`, and any other part of an event of `POST /events`.
        now: UTC milliseconds, for an event without a time.

    Raises:
        EdgeError: the server would not take it (code `event_invalid`); names every problem.
    """
    problems: list[str] = []
    event = {name: value for name, value in said.items() if value is not None}
    if unknown := sorted(map(str, event.keys() - _PARTS)):
        problems.append(f"{unknown} are no parts of an event; it has {', '.join(sorted(_PARTS))}")
    problems += [f"{name} is required" for name in ("user_id", "kind") if name not in event]
    for name in _IDS:
        if name in event:
            event[name] = identifier(event[name], name, problems)
    for name in _NAMES:
        if name in event and not _is_id(event[name]):
            problems.append(f"{name} must be a text of 1 to {LONGEST_ID} printable characters")
    kind = event.get("kind", "view")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        problems.append("kind must begin with a letter and have at most 64 letters, digits, dots, dashes, underscores")
    for name in _NUMBERS:
        value = event.get(name, 0.5)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            problems.append(f"{name} must be a finite number")
        elif name == "propensity" and not 0 < value <= 1:
            problems.append("propensity must be above 0 and at most 1")
    position = event.get("position", 0)
    if type(position) is not int or not 0 <= position < 2**31:
        problems.append("position must be a whole number from 0")
    search = event.get("search", "x")
    if not isinstance(search, str) or not search.strip() or "\0" in search or len(search) > LONGEST_TEXT:
        problems.append(f"search must be words, at most {LONGEST_TEXT} characters")
    event["time"] = _moment(event["time"], problems) if "time" in event else now
    if not problems and event["time"] > now + _DAY:
        problems.append("time is more than a day ahead of this device's clock")
    if problems:
        raise EdgeError(f"the event cannot be kept: {'; '.join(problems)}", code="event_invalid")
    return {"event_id": uuid.uuid4().hex, **event}


def identifier(value: Any, name: str, problems: list[str]) -> str:
    """An id as text; what is none is added to `problems`."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not _is_id(text):
        problems.append(f"{name} must be a text of 1 to {LONGEST_ID} printable characters, or a whole number")
        return ""
    return str(text)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()


def _moment(value: Any, problems: list[str]) -> int:
    """UTC milliseconds of ISO 8601, or of seconds, milliseconds or microseconds told apart by size."""
    moment = -1
    if isinstance(value, str):
        try:
            said = datetime.fromisoformat(value.strip())
            said = said.replace(tzinfo=UTC) if said.tzinfo is None else said
            moment = math.floor(said.timestamp() * 1000)
        except (ValueError, OverflowError):
            problems.append("time is no moment as in 2026-01-31T12:00:00Z")
            return 0
    elif type(value) is int:
        size = abs(value)
        scale = 1000 if size < _LARGEST_SECONDS else 1
        moment = value // 1000 if size >= _LARGEST_SECONDS * 10**3 else value * scale
    if not _LARGEST_SECONDS <= moment <= _LATEST:  # milliseconds before that would be read as seconds
        problems.append("time must be ISO 8601, or seconds, milliseconds or microseconds from March 1973 to 9999")
        return 0
    return moment
