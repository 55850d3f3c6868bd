"""What a command says: answers on standard output, everything for people's eyes on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import orjson

from savor.core.progress import console


def print_json(value: Any) -> None:
    """Write one JSON document to standard output."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    sys.stdout.write(orjson.dumps(value, option=options, default=str).decode("utf-8"))
    sys.stdout.flush()


_within = ContextVar("within another command", default=False)


@contextmanager
def within_another_command() -> Iterator[None]:
    """Commands called here are steps of another, which alone says what comes next."""
    token = _within.set(True)
    try:
        yield
    finally:
        _within.reset(token)


def next_step(text: str) -> None:
    """Tell the person what to do now."""
    if _within.get():
        return
    console.print(f"[bold]Next:[/bold] {text}", highlight=False)
