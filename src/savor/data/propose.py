"""From tables nobody has described to a configuration that runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from savor.core.clock import Clock, wall_clock
from savor.core.errors import DataError
from savor.data import columns, role_words
from savor.data.engine import Engine, open_engine
from savor.data.inspect import ColumnProfile, modal_share, profile_table, shared_ids
from savor.data.options import IngestOptions
from savor.data.proposal import Guess, Proposal
from savor.data.propose_attributes import propose_item_roles, propose_user_roles
from savor.data.propose_events import propose_events
from savor.data.schema import EventTable, ItemTable, Schema, UserTable
from savor.data.sources.open_source import open_source
from savor.data.sources.raw_table import RawTable

_OLD = 30 * 86_400
_DECIDES = 0.85
_FEW_KNOWN = 0.5


@dataclass(frozen=True)
class Sources:
    """Where the tables to look at are, and what a person has already said about them.

    Attributes:
        events, items, users: files or database URLs; items and users may be missing.
        query: SQL for the events, if they are in a database.
        roles: columns whose role is decided ("user", "item", "time" → column).
    """

    events: str
    items: str | None = None
    users: str | None = None
    query: str | None = None
    roles: dict[str, str] | None = None


def propose(sources: Sources, base: Path, near: Path, *, timezone: str = "UTC", clock: Clock = wall_clock) -> Proposal:
    """Look at the tables and propose what their columns mean.

    Args:
        sources: the tables.
        base: the folder that relative sources count from.
        near: a folder for temporary files.
        timezone: zone of moments that name none.
        clock: what counts as now.

    Raises:
        DataError: a table cannot be read, or the user, item or time column cannot be told.
    """
    options = IngestOptions(timezone=timezone)
    with open_engine(options, near) as engine:
        raw = open_source(engine, sources.events, sources.query, base)
        profiles = profile_table(engine, raw)
        if not any(column.rows for column in profiles.values()):
            raise DataError(f"{raw.description}: the table of events has no rows")
        events, guesses, notes = propose_events(sources.events, sources.query, profiles, sources.roles or {})
        used = {guess.column for guess in guesses}
        loose = {name: column for name, column in profiles.items() if name not in used}
        items, item_guesses, item_notes = _items(engine, sources, base, raw, events, loose)
        taken = {guess.column for guess in item_guesses if guess.table == "items" and sources.items is None}
        loose = {name: column for name, column in loose.items() if name not in taken}
        users, user_guesses, user_notes, personal = _users(engine, sources, base, raw, events, loose)
        taken = {guess.column for guess in user_guesses if guess.table == "users" and sources.users is None}
        left = [Guess("events", name, "", "no role fits") for name in loose if name not in taken]
        newest = engine.first(raw.rows.agg(last=columns.moment(raw.rows[events.time], events.time_format).max()))
    historical = newest["last"] is not None and newest["last"] // columns.MICROSECONDS < clock() - _OLD
    return Proposal(
        Schema(events=events, items=items, users=users, personal=tuple(personal)),
        ingest=options,
        guesses=(*guesses, *left, *item_guesses, *user_guesses),
        notes=(*notes, *item_notes, *user_notes),
        historical=historical,
    )


def _items(
    engine: Engine, sources: Sources, base: Path, raw: RawTable, events: EventTable, loose: dict[str, ColumnProfile]
) -> tuple[ItemTable | None, list[Guess], list[str]]:
    if sources.items is None:
        deciding = _decided_by(engine, raw, events.item, events.user, loose)
        if not deciding:
            return None, [], []
        roles, guesses = propose_item_roles(engine, raw, deciding, set())
        note = f"there is no table of items: {', '.join(deciding)} of the events describe them"
        return ItemTable(source=sources.events, query=sources.query, id=events.item, **roles), guesses, [note]
    table = open_source(engine, sources.items, None, base)
    profiles = profile_table(engine, table)
    identity, share = _identity(engine, table, profiles, raw, events.item, role_words.ITEM)
    roles, guesses = propose_item_roles(engine, table, profiles, {identity})
    separators = [profiles[name].separator for name in roles.get("tags", ()) if profiles[name].separator]
    if separators:
        roles["tag_separator"] = separators[0]
    found = Guess("items", identity, "id", f"it has {share:.0%} of the items of the events")
    return ItemTable(source=sources.items, id=identity, **roles), [found, *guesses], _few_known("items", share)


def _users(
    engine: Engine, sources: Sources, base: Path, raw: RawTable, events: EventTable, loose: dict[str, ColumnProfile]
) -> tuple[UserTable | None, list[Guess], list[str], list[str]]:
    if sources.users is None:
        deciding = _decided_by(engine, raw, events.user, events.item, loose)
        if not deciding:
            return None, [], [], []
        roles, guesses, personal = propose_user_roles(deciding, set())
        note = f"there is no table of users: {', '.join(deciding)} of the events describe them"
        return (
            UserTable(source=sources.events, query=sources.query, id=events.user, **roles),
            guesses,
            [note],
            personal,
        )
    table = open_source(engine, sources.users, None, base)
    profiles = profile_table(engine, table)
    identity, share = _identity(engine, table, profiles, raw, events.user, role_words.USER)
    roles, guesses, personal = propose_user_roles(profiles, {identity})
    found = Guess("users", identity, "id", f"it has {share:.0%} of the users of the events")
    return (
        UserTable(source=sources.users, id=identity, **roles),
        [found, *guesses],
        _few_known("users", share),
        personal,
    )


def _few_known(name: str, share: float) -> list[str]:
    if share >= _FEW_KNOWN:
        return []
    known = f"{share:.0%} of the {name} in the events are in their own table, the others are known by events only"
    return [f"{known}; if that is wrong, see whether the ids are written alike"]


def _identity(
    engine: Engine,
    table: RawTable,
    profiles: dict[str, ColumnProfile],
    events: RawTable,
    column: str,
    words: frozenset[str],
) -> tuple[str, float]:
    """The column of `table` whose values are the ids in the events, and the share of those it has."""
    candidates = [profile for profile in profiles.values() if profile.unique and profile.kind in ("integer", "text")]
    if not candidates:
        candidates = [profile for profile in profiles.values() if set(profile.tokens) & words]
    if not candidates:
        raise DataError(
            f"{table.description}: no column has a different value in every row, so none can be the id; "
            f"there are: {', '.join(table.columns)}"
        )

    def fitness(profile: ColumnProfile) -> tuple[float, bool, bool]:
        share = shared_ids(engine, table, profile.name, events, column)
        return share, profile.name == column, bool(set(profile.tokens) & words)

    scored: list[tuple[Any, str]] = [(fitness(profile), profile.name) for profile in candidates]
    best, name = max(scored, key=lambda entry: entry[0])
    return name, float(best[0])


def _decided_by(
    engine: Engine, raw: RawTable, key: str, other: str, loose: dict[str, ColumnProfile]
) -> dict[str, ColumnProfile]:
    """Columns of the events that say the same whenever `key` comes again, and more so than for `other`."""
    found = {}
    for name, column in loose.items():
        if column.kind in ("time", "list", "number") or column.distinct < 2 or column.unique:
            continue
        share = modal_share(engine, raw, key, name)
        if share >= _DECIDES and share >= modal_share(engine, raw, other, name):
            found[name] = column
    return found
