"""Changing values in a TOML file and nothing else: comments, order and layout stay."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from savor.core.errors import ConfigError
from savor.training.tuning.configuration_key import get_value, with_values


def edit_toml(text: str, changes: Mapping[str, Any]) -> str:
    """`text` with the dotted keys of `changes` set.

    A key that is there gets its new value in place, and keeps its comment. Another goes below the last key of its
    table; a table that is not there goes to the end.

    Raises:
        ConfigError: the file is written in a way that cannot be edited safely; nothing is lost, as the result is read
            back and compared.
    """
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for key, value in changes.items():
        lines = _set(lines, key.split("."), value)
    edited = "".join(lines)
    try:
        right = tomllib.loads(edited) == with_values(tomllib.loads(text), changes)
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        raise ConfigError([f"cannot be edited; set by hand: {_listed(changes)}"])
    return edited


def _set(lines: list[str], key: list[str], value: Any) -> list[str]:
    table: list[str] = []
    end_of_table: int | None = 0 if len(key) == 1 else None
    position = 0
    while position < len(lines):
        line = lines[position]
        stop = position + 1
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$", line):
            table = _path(header.group(1))
            if table == key[:-1]:
                end_of_table = stop
        elif line.strip() and not line.lstrip().startswith(("#", "[")):
            stop = _end_of_statement(lines, position)
            statement = "".join(lines[position:stop])
            name, equals = _name(statement)
            path = [*table, *_path(name)]
            if path == key[: len(path)]:
                new = value
                if path != key:  # an inline table that holds the key
                    old = get_value(tomllib.loads(statement), ".".join(_path(name)))
                    new = with_values(old, {".".join(key[len(path) :]): value})
                line = f"{statement[:equals].rstrip()} = {_toml(new)}{_comment(statement)}\n"
                return [*lines[:position], line, *lines[stop:]]
            if table == key[:-1]:
                end_of_table = stop
        position = stop
    line = f"{key[-1]} = {_toml(value)}\n"
    if end_of_table is not None:
        return [*lines[:end_of_table], line, *lines[end_of_table:]]
    gap = ["\n"] if lines and lines[-1].strip() else []
    return [*lines, *gap, f"[{'.'.join(key[:-1])}]\n", line]


def _end_of_statement(lines: list[str], start: int) -> int:
    """The line after the shortest run of lines from `start` that is TOML by itself."""
    for stop in range(start + 1, len(lines) + 1):
        if _parses("".join(lines[start:stop])):
            return stop
    raise ConfigError([f"line {start + 1} cannot be read as TOML"])


def _name(statement: str) -> tuple[str, int]:
    """The key as it is written, and where its equals sign is."""
    for match in re.finditer("=", statement):
        name = statement[: match.start()]
        if _parses(f"{name}= 0"):
            return name, match.start()
    raise ConfigError([f"{statement.strip()!r} cannot be read as TOML"])


def _path(name: str) -> list[str]:
    found: Any = tomllib.loads(f"{name} = 0")
    path = []
    while isinstance(found, dict):
        ((part, found),) = found.items()
        path.append(part)
    return path


def _comment(statement: str) -> str:
    """The comment behind the value on the statement's last line, with the space before it."""
    body = statement.rstrip("\n")
    whole = tomllib.loads(body)
    for match in re.finditer(r"\s*#", body):
        value, comment = body[: match.start()], body[match.start() :]
        if "\n" not in comment.lstrip() and _parses(value) and tomllib.loads(value) == whole:
            return comment
    return ""


def _parses(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _toml(value: Any) -> str:
    """A TOML value; JSON's text, numbers and lists are TOML's too, but for the delete character."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _listed(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {_toml(value)}" for key, value in changes.items())
