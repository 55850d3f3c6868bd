"""What happened, as it comes in and as it is kept."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.core.errors import DataError
from savor.online.column_batch import ColumnBatch

LONGEST_ID = 256
LONGEST_TEXT = 2000
_LATEST = 253_402_300_799_999_999  # the end of the year 9999, in microseconds
_POSITIONS = 2**31 - 1
_DERIVED_DIGITS = 32
_TEXTS = ("event_id", "user_id", "item_id", "kind", "basket_id", "recommendation_id", "variant", "search")
_NUMBERS = ("value", "price", "propensity")
_GIVEN = frozenset({*_TEXTS, *_NUMBERS, "time", "position"})


@dataclass(frozen=True, eq=False)
class EventBatch(ColumnBatch):
    """N events as columns.

    Attributes:
        event_id: N names, each of one event: what makes a repeated event the same event.
        user_id: N ids of users or anonymous visitors.
        item_id: N ids; None where the event is not about an item (a search).
        kind: N names: view, click, cart, purchase, save, rating, search, impression, ….
        time: (N,) int64 UTC microseconds, when it happened.
        received: (N,) int64 UTC microseconds, when it reached the server.
        value: (N,) float64 quantity or rating; NaN where unknown.
        price: (N,) float64 money paid for the line; NaN where unknown.
        basket_id: N ids of baskets or of sessions named by the client; None where unknown.
        recommendation_id: N ids of the recommendation it answers; None where there is none.
        position: (N,) int64 place in that recommendation, from 0; -1 where there is none.
        variant: N names of the variant that made it; None where there is none.
        propensity: (N,) float64 in (0, 1], the probability with which it was shown there; NaN where unknown.
        search: N texts searched for; None where there is none.
    """

    event_id: list[str]
    user_id: list[str]
    item_id: list[str | None]
    kind: list[str]
    time: NDArray[np.int64]
    received: NDArray[np.int64]
    value: NDArray[np.float64]
    price: NDArray[np.float64]
    basket_id: list[str | None]
    recommendation_id: list[str | None]
    position: NDArray[np.int64]
    variant: list[str | None]
    propensity: NDArray[np.float64]
    search: list[str | None]

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]], received: int) -> "EventBatch":
        """Events as they are posted; `received` (UTC microseconds) is also their time where they name none.

        Where `event_id` is absent it is derived from what the event says, so that a repeated request is recognised. Two
        events that are equal in everything, the microsecond too, are then one: clients that mean two give ids.

        Args:
            events: mappings with `user_id`, `kind` and any of the other names above but `received`.
            received: when they came.

        Raises:
            DataError: values that no store could keep; every one of them is named.
        """
        rows, problems = [], []
        for number, event in enumerate(events):
            values = {"time": received, **{name: value for name, value in event.items() if value is not None}}
            found = [f"event {number}: {problem}" for problem in _problems(values)]
            problems += found
            if not found:
                values.setdefault("event_id", _derived_id(values))
                values["received"] = received
                rows.append([values.get(name) for name in cls.names()])
        if problems:
            raise DataError("; ".join(problems[:20]), code="event_invalid")
        return cls.from_rows(rows)


def _derived_id(values: Mapping[str, Any]) -> str:
    """32 hexadecimal digits of the SHA-256 of the event as canonical JSON, marked so that it meets no other id."""
    told = {name: float(value) if name in _NUMBERS else value for name, value in values.items()}
    digest = hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f"sha256:{digest[:_DERIVED_DIGITS]}"


def _problems(values: Mapping[str, Any]) -> list[str]:
    found = [f"{name} is not a part of an event" for name in sorted(set(values) - _GIVEN)]
    found += [f"{name} is required" for name in ("user_id", "kind") if name not in values]
    for name in _TEXTS:
        if name in values and (
            problem := _text_problem(values[name], LONGEST_TEXT if name == "search" else LONGEST_ID)
        ):
            found.append(f"{name} {problem}")
    found += [
        f"{name} must be a finite number"
        for name in _NUMBERS
        if name in values
        and (not isinstance(values[name], int | float) or isinstance(values[name], bool) or not _finite(values[name]))
    ]
    found += [
        f"{name} must be a whole number from 0 to {most}"
        for name, most in (("time", _LATEST), ("position", _POSITIONS))
        if name in values and (type(values[name]) is not int or not 0 <= values[name] <= most)
    ]
    if not found and not 0 < values.get("propensity", 1) <= 1:
        found.append("propensity must be above 0 and at most 1")
    return found


def _finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _text_problem(value: object, longest: int) -> str | None:
    if not isinstance(value, str) or not value:
        return "must be text that is not empty"
    if len(value) > longest:
        return f"must have at most {longest} characters"
    if "\0" in value or (not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value)):
        return "must not hold NUL or lone surrogates"
    return None
