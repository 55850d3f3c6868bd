"""Writing `savor.toml` so that a person can read and change it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from savor.core.config import Section
from savor.data.proposal import Proposal
from savor.data.sources.address import is_database

_WIDTH = 110
_HEADINGS = {
    "events": "What happened: one row an event.",
    "items": "What can be recommended.",
    "users": "Who it is recommended to.",
}
_OPTIONAL = {
    "events": ("kind", "value", "price", "basket", "order"),
    "items": ("name", "categories", "tags", "numerics", "text", "image", "price", "stock", "owner", "created"),
    "users": ("categories", "tags", "numerics"),
}


def project_file(proposal: Proposal, name: str, seed: int = 7) -> str:
    """The text of `savor.toml` for a proposal.

    Args:
        proposal: roles and options.
        name: what the project is called.
        seed: what everything random follows from.
    """
    schema = proposal.schema
    lines = [
        "# What Savor knows about your tables. Written by `savor init`: check the roles, then run `savor run`.",
        "# Every key is described in the documentation under Configuration; lines that start with # are not read.",
        "",
        "# Columns with personal data: user ids among them become keyed hashes, all others are dropped.",
        f"personal = {_toml(list(schema.personal))}",
        "",
        "[project]",
        f"name = {_toml(name)}",
        f"seed = {_toml(seed)}",
    ]
    for section, table in (("events", schema.events), ("items", schema.items), ("users", schema.users)):
        if table is None:
            continue
        reasons = {(guess.table, guess.column): guess.reason for guess in proposal.guesses if guess.role}
        by_column = {column: reason for (where, column), reason in reasons.items() if where == section}
        lines += ["", f"# {_HEADINGS[section]}", f"[{section}]", *_keys(table, by_column, _OPTIONAL[section])]
    lines += ["", "[ingest]", f"timezone = {_toml(proposal.ingest.timezone)}  # of moments that name no zone"]
    lines += _changed(proposal.ingest, but={"timezone"})
    lines += ["", "[split]", f"method = {_toml(proposal.split.method)}  # or leave_one_out, or column"]
    lines += _changed(proposal.split, but={"method"})
    if proposal.historical:
        lines += [
            "",
            "[serving]",
            "# The newest event is more than a month old, so how long ago something was counts from the end of the",
            '# data. Change this to "wall" when events come in every day.',
            'clock = "data"',
        ]
    return "\n".join(lines) + "\n" + proposal.sections


def _keys(table: Section, reasons: Mapping[str, str], optional: tuple[str, ...]) -> list[str]:
    lines = []
    for key, value in table.model_dump(mode="json", exclude_defaults=True).items():
        line = f"{key} = {_toml(value)}"
        reason = reasons.get(value) if isinstance(value, str) else None
        commented = f"{line}  # {' '.join(reason.split())}" if reason else line
        lines.append(commented if len(commented) <= _WIDTH else line)
    unused = [key for key in optional if f"\n{key} = " not in "\n" + "\n".join(lines)]
    if unused:
        lines.append(f"# also possible: {', '.join(unused)}")
    return lines


def _changed(section: Section, but: set[str]) -> list[str]:
    values = section.model_dump(mode="json", exclude_defaults=True, exclude=but)
    return [f"{key} = {_toml(value)}" for key, value in values.items()]


def _toml(value: Any) -> str:
    """A TOML value; JSON's strings, numbers and lists are TOML's too, but for the delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def source_from(project: Path, source: str) -> str:
    """`source`, given from the working folder, as it is written in the `savor.toml` of the folder `project`.

    Relative to the project where the file is inside it; otherwise absolute. Database URLs stay as they are, but for
    relative SQLite and DuckDB files, which must already count from the project.
    """
    if is_database(source):
        return source
    path = Path(source).expanduser().absolute()
    root = project.absolute()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
