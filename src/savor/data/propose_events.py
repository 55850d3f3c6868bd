"""Which column of an events table plays which role."""

from dataclasses import dataclass, field
from typing import Any

from savor.core.errors import DataError
from savor.data import role_words
from savor.data.inspect import ColumnProfile
from savor.data.proposal import Guess
from savor.data.schema import EventTable
from savor.data.splits import SPELLINGS

_MOST_KINDS = 30


@dataclass
class EventRoles:
    """Roles found so far, with the reason for each."""

    columns: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    guesses: list[Guess] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, role: str, column: ColumnProfile, reason: str) -> None:
        """Give `column` the `role`."""
        self.columns[role] = column.name
        self.guesses.append(Guess("events", column.name, role, reason))


def propose_events(
    source: str, query: str | None, profiles: dict[str, ColumnProfile], given: dict[str, str]
) -> tuple[EventTable, list[Guess], list[str]]:
    """Propose the roles of the columns.

    Args:
        source: where the events are.
        query: SQL, if they are in a database.
        profiles: what the columns hold.
        given: roles a person has decided (role → column).

    Returns:
        The proposed table, the guesses with their reasons, and notes.

    Raises:
        DataError: no column can be the user, the item or the time.
    """
    roles = EventRoles()
    for role, name in given.items():
        if name not in profiles:
            raise DataError(f"--{role} {name}: there is no such column; there are: {', '.join(profiles)}")
        roles.take(role, profiles[name], "you said so")
    for role, words in (("user", role_words.USER), ("item", role_words.ITEM)):
        if role not in roles.columns:
            _take_id(roles, role, words, profiles)
    if "time" not in roles.columns:
        _take_time(roles, profiles)
    missing = [role for role in ("user", "item", "time") if role not in roles.columns]
    if missing:
        options = " ".join(f"--{role} COLUMN" for role in missing)
        raise DataError(
            f"{source}: cannot tell which column is the {' and the '.join(missing)}; say so with {options}. "
            f"There are: {', '.join(profiles)}"
        )
    _take_others(roles, profiles)
    _settle(roles, profiles)
    table = EventTable(source=source, query=query, **roles.columns, **roles.settings)
    return table, roles.guesses, roles.notes


def _free(roles: EventRoles, profiles: dict[str, ColumnProfile]) -> list[ColumnProfile]:
    return [column for column in profiles.values() if column.name not in roles.columns.values()]


def _take_id(roles: EventRoles, role: str, words: frozenset[str], profiles: dict[str, ColumnProfile]) -> None:
    best: tuple[float, ColumnProfile] | None = None
    for column in _free(roles, profiles):
        tokens = set(column.tokens)
        if column.kind in ("number", "time", "boolean", "list") or not tokens & words:
            continue
        score = (
            2.0 + bool(tokens & role_words.IDENTITY) - 2 * bool(tokens & role_words.NO_IDENTITY) + (column.distinct > 1)
        )
        if best is None or score > best[0]:
            best = (score, column)
    if best is not None and best[0] > 1:
        column = best[1]
        roles.take(role, column, f"its name; {column.distinct:,} different values")


def _take_time(roles: EventRoles, profiles: dict[str, ColumnProfile]) -> None:
    candidates = []
    for column in _free(roles, profiles):
        named = bool(set(column.tokens) & role_words.TIME)
        if column.kind == "time":
            candidates.append((3 + named, column.distinct, column))
        elif column.epoch and named:
            candidates.append((3, column.distinct, column))
    if candidates:
        _, _, column = max(candidates, key=lambda candidate: candidate[:2])
        how = "seconds or finer since the epoch" if column.epoch else f"moments, like {column.examples[0]}"
        roles.take("time", column, how)


def _take_others(roles: EventRoles, profiles: dict[str, ColumnProfile]) -> None:
    for column in _free(roles, profiles):
        tokens = set(column.tokens)
        measures = column.kind in ("integer", "number") and not tokens & role_words.IDENTITY
        if "basket" not in roles.columns and tokens & role_words.BASKET and column.kind in ("integer", "text"):
            if tokens & role_words.IDENTITY or len(tokens) == 1:
                roles.take("basket", column, f"its name; {column.distinct:,} different values")
        elif "kind" not in roles.columns and tokens & role_words.KIND and _is_kind(column):
            roles.take("kind", column, f"{column.distinct} values, like {', '.join(column.examples)}")
        elif "value" not in roles.columns and measures and tokens & role_words.RATING:
            roles.take("value", column, f"a rating from {column.minimum:g} to {column.maximum:g}")
            roles.settings["value_meaning"] = "rating"
        elif "value" not in roles.columns and measures and tokens & role_words.QUANTITY:
            roles.take("value", column, f"a quantity from {column.minimum:g} to {column.maximum:g}")
        elif "price" not in roles.columns and measures and tokens & role_words.MONEY:
            roles.take("price", column, f"money from {column.minimum:g} to {column.maximum:g}")
        elif "search" not in roles.columns and tokens & role_words.SEARCH and column.kind == "text":
            roles.take("search", column, f"its name; what was searched for, like {column.examples[0]}")
        elif "review" not in roles.columns and tokens & role_words.REVIEW and column.words > 2:
            roles.take("review", column, f"its name; about {column.words:.0f} words each")
        elif "order" not in roles.columns and column.kind == "integer" and tokens & role_words.ORDER:
            roles.take("order", column, "its name: the order of events with one time")
        elif tokens & role_words.SPLIT and {value.lower() for value in column.examples} <= set(SPELLINGS):
            roles.take("split", column, f"values like {', '.join(column.examples)}")
            roles.notes.append(f'[split] method is "temporal"; "column" would use {column.name!r} as it is given')


def _is_kind(column: ColumnProfile) -> bool:
    return column.kind == "text" and column.distinct <= _MOST_KINDS and column.words < 3


def _settle(roles: EventRoles, profiles: dict[str, ColumnProfile]) -> None:
    """Settings that follow from what the columns hold."""
    user = profiles[roles.columns["user"]]
    if user.missing > 0:
        roles.settings["anonymous"] = "leave_out"
        roles.notes.append(f"{user.missing:.1%} of the events have no user; they are left out (`anonymous`)")
    value = profiles.get(roles.columns.get("value", ""))
    if value is not None and roles.settings.get("value_meaning") != "rating" and (value.minimum or 0) < 0:
        roles.settings["minimum_value"] = 1 if value.kind == "integer" else 0.001
        roles.notes.append(f"{value.name!r} goes down to {value.minimum:g}: returns are left out (`minimum_value`)")
    if value is None:
        roles.settings["value_meaning"] = "none"
    price = profiles.get(roles.columns.get("price", ""))
    if price is not None and value is not None and "price" in price.tokens and "total" not in price.tokens:
        roles.settings["price_meaning"] = "unit"
        roles.notes.append(f"{price.name!r} is taken as the price of one, and multiplied by {value.name!r}")
    time = profiles[roles.columns["time"]]
    if time.time_format:
        roles.settings["time_format"] = time.time_format
        roles.notes.append(f"{time.name!r} is read as {time.time_format}: check the order of day and month")
    if "kind" not in roles.columns:
        roles.settings["default_kind"] = "rating" if roles.settings.get("value_meaning") == "rating" else "purchase"
