"""Which column of an item or user table plays which role."""

from typing import Any

from savor.data import role_words
from savor.data.engine import Engine
from savor.data.inspect import ColumnProfile, modal_share
from savor.data.proposal import Guess
from savor.data.sources.raw_table import RawTable

_DECIDES = 0.9
_FEW = 12
_WORDY = 3.0
_SOME = 50


def propose_item_roles(
    engine: Engine, raw: RawTable, profiles: dict[str, ColumnProfile], skip: set[str]
) -> tuple[dict[str, Any], list[Guess]]:
    """Roles of an item table's columns but those in `skip`, as arguments of `ItemTable`."""
    roles: dict[str, Any] = {"categories": [], "tags": [], "numerics": [], "text": []}
    guesses: list[Guess] = []

    def take(role: str, column: ColumnProfile, reason: str) -> None:
        if isinstance(roles.get(role), list):
            roles[role].append(column.name)
        else:
            roles[role] = column.name
        guesses.append(Guess("items", column.name, role, reason))

    for column in _by_name(profiles, skip):
        tokens = set(column.tokens)
        numeric = column.kind in ("integer", "number")
        if column.distinct < 2:
            take("", column, "it has one value only")
        elif "name" not in roles and tokens & role_words.NAME and tokens <= role_words.NAME | role_words.ITEM:
            take("name", column, "its name")
        elif "image" not in roles and tokens & role_words.IMAGE and column.kind == "text":
            remote = column.examples and column.examples[0].startswith(("http://", "https://"))
            take("image", column, "its name" + ("; read only with [images] allow_urls = true" if remote else ""))
        elif column.examples and column.examples[0].startswith(("http://", "https://")):
            take("", column, "addresses say little about an item")
        elif "price" not in roles and tokens & role_words.PRICE and numeric:
            take("price", column, f"money from {column.minimum:g} to {column.maximum:g}")
        elif "stock" not in roles and tokens & role_words.STOCK and (numeric or column.distinct <= 4):
            take("stock", column, "its name")
        elif "created" not in roles and column.kind == "time" and tokens & role_words.CREATED:
            take("created", column, "moments, by its name of becoming available")
        elif "owner" not in roles and tokens & role_words.OWNER and column.repeats:
            take("owner", column, f"its name; {column.distinct:,} different values")
        else:
            _take_feature(column, take)
    roles["categories"], chain = _widest_first(engine, raw, roles["categories"], profiles)
    if "name" not in roles:
        _choose_name(roles, profiles, chain)
    _add_text(roles)
    return {role: value for role, value in roles.items() if role and value}, guesses


def propose_user_roles(
    profiles: dict[str, ColumnProfile], skip: set[str]
) -> tuple[dict[str, Any], list[Guess], list[str]]:
    """Roles of a user table's columns but those in `skip`, as arguments of `UserTable`; and the personal columns."""
    roles: dict[str, Any] = {"categories": [], "tags": [], "numerics": []}
    guesses: list[Guess] = []
    personal: list[str] = []

    def take(role: str, column: ColumnProfile, reason: str) -> None:
        if role in ("categories", "tags", "numerics"):
            roles[role].append(column.name)
        guesses.append(Guess("users", column.name, role if role != "text" else "", reason))

    for column in _by_name(profiles, skip):
        tokens = set(column.tokens)
        if tokens & role_words.PERSONAL or (tokens & role_words.NAME and column.unique):
            personal.append(column.name)
            guesses.append(Guess("users", column.name, "personal", "its name: it seems to name a person; dropped"))
        elif column.distinct < 2:
            take("", column, "it has one value only")
        else:
            _take_feature(column, take)
    return {role: tuple(value) for role, value in roles.items() if value}, guesses, personal


def _by_name(profiles: dict[str, ColumnProfile], skip: set[str]) -> list[ColumnProfile]:
    return [column for column in profiles.values() if column.name not in skip]


def _take_feature(column: ColumnProfile, take: Any) -> None:
    tokens = set(column.tokens)
    if column.kind == "list" or column.separator is not None:
        parted = "lists" if column.kind == "list" else f"several values parted by {column.separator!r}"
        take("tags", column, parted)
    elif column.kind == "time":
        take("", column, "moments other than becoming available have no role")
    elif column.kind == "boolean":
        take("categories", column, "true or false")
    elif column.kind in ("integer", "number"):
        if column.kind == "integer" and tokens & role_words.CODE and column.repeats:
            take("categories", column, f"a code with {column.distinct:,} values")
        elif tokens & role_words.CODE:
            take("", column, "a code that hardly comes twice")
        elif column.distinct <= _FEW and column.kind == "integer" and not {"age", "year", "count"} & tokens:
            take("categories", column, f"{column.distinct} different whole numbers")
        else:
            take("numerics", column, f"numbers from {column.minimum:g} to {column.maximum:g}")
    elif column.repeats and (column.words <= _WORDY or column.distinct <= _SOME) and not tokens & role_words.LONG_TEXT:
        take("categories", column, f"{column.distinct:,} values, like {column.examples[0]}")
    elif column.words > 1:
        take("text", column, f"about {column.words:.0f} words each")
    else:
        take("", column, "words that hardly come twice")


def _choose_name(roles: dict[str, Any], profiles: dict[str, ColumnProfile], chain: list[str]) -> None:
    """Without a column called name or title: a description, else the narrowest level of the categories."""
    wordy = [name for name in chain or roles["categories"] if profiles[name].kind == "text"]
    if named := roles["text"] or wordy:
        roles["name"] = max(named, key=lambda name: profiles[name].distinct)


def _widest_first(
    engine: Engine, raw: RawTable, names: list[str], profiles: dict[str, ColumnProfile]
) -> tuple[tuple[str, ...], list[str]]:
    """The longest chain in which each column decides the one before, then the others by their number of values.

    Returns:
        All names in this order, and the chain alone.
    """
    ordered = sorted(names, key=lambda name: profiles[name].distinct)
    if len(ordered) < 2 or len(ordered) > _FEW:
        return tuple(ordered), []
    chains: dict[str, list[str]] = {}
    for position, narrow in enumerate(ordered):
        before: list[str] = []
        for wide in ordered[:position]:
            parent = chains[wide]
            if len(parent) > len(before) and modal_share(engine, raw, narrow, wide) >= _DECIDES:
                before = parent
        chains[narrow] = [*before, narrow]
    chain = max(chains.values(), key=lambda names: (len(names), -profiles[names[0]].distinct))
    chain = chain if len(chain) > 1 else []
    return (*chain, *(name for name in ordered if name not in chain)), chain


def _add_text(roles: dict[str, Any]) -> None:
    """The words of an item: its name, its kinds, its descriptions."""
    spoken = [roles.get("name"), *roles["categories"][:3], *roles["tags"][:1], *roles["text"]]
    roles["text"] = list(dict.fromkeys(name for name in spoken if name is not None))
