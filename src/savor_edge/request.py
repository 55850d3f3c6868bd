"""What is asked of an `EdgeRecommender`, checked as the server checks it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from savor_edge.errors import EdgeError
from savor_edge.event import identifier

MOST_ITEMS = 1000
MOST_BASKET = 200
MOST_CONTEXT = 64
SCENARIOS = {"home": False, "discover": True}
"""The places that a device makes lists for, and whether they leave out what the person had before."""


@dataclass(frozen=True)
class Request:
    """One question, as `POST /recommendations` has it."""

    user_id: str
    number: int
    scenario: str
    context_items: tuple[str, ...]
    filter: Mapping[str, Any]
    exclude_items: tuple[str, ...]
    exclude_seen: bool
    explain: bool
    diversity: bool

    @classmethod
    def checked(
        cls,
        user_id: Any,
        number: Any,
        scenario: Any,
        context: Any,
        conditions: Any,
        exclude_items: Any,
        exclude_seen: Any,
        explain: Any,
        diversity: Any,
    ) -> "Request":
        """A question with nothing wrong in it.

        Raises:
            EdgeError: naming everything that is wrong (code `request_invalid` or `scenario_unknown`).
        """
        problems: list[str] = []
        user = identifier(user_id, "user_id", problems)
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MOST_ITEMS:
            problems.append(f"num_recommendations must be a whole number from 1 to {MOST_ITEMS}")
        for name, flag in (("exclude_seen", exclude_seen), ("explain", explain), ("diversity", diversity)):
            if not isinstance(flag, bool):
                problems.append(f"{name} must be true or false")
        excluded = _ids(exclude_items or (), "exclude_items", MOST_ITEMS, problems)
        if conditions is not None and not isinstance(conditions, Mapping):
            problems.append('filter must be conditions by field, like {"price": {"lte": 5}}')
        of_moment = _context(context or {}, problems)
        if problems:
            raise EdgeError(f"the request cannot be answered: {'; '.join(problems)}", code="request_invalid")
        if scenario not in SCENARIOS:
            raise EdgeError(
                f"there is no scenario {scenario!r} on the device; there are {', '.join(SCENARIOS)}",
                code="scenario_unknown",
            )
        return cls(
            user,
            number,
            scenario,
            of_moment,
            conditions or {},
            excluded,
            exclude_seen or SCENARIOS[scenario],
            explain,
            diversity,
        )


def _context(context: Any, problems: list[str]) -> tuple[str, ...]:
    """The items that the moment is about."""
    if not isinstance(context, Mapping) or len(context) > MOST_CONTEXT:
        problems.append(f"context must be at most {MOST_CONTEXT} values by name")
        return ()
    found: tuple[str, ...] = ()
    for name, value in context.items():
        if name == "basket" and value is not None:
            found += _ids(value, "basket", MOST_BASKET, problems)
        elif isinstance(value, list | tuple | Mapping):
            problems.append("`basket` must be a list of item ids, and nothing else in the context may be a list")
    item = context.get("item_id")
    return found if item is None else (*found, identifier(item, "item_id", problems))


def _ids(values: Any, name: str, most: int, problems: list[str]) -> tuple[str, ...]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Sequence) or len(values) > most:
        problems.append(f"{name} must be a list of at most {most} item ids")
        return ()
    return tuple(identifier(value, f"each of {name}", problems) for value in values)
