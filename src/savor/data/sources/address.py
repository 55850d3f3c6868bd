"""Addresses of sources: what they are, and what of them may be shown."""

import os
import re

from savor.core.errors import DataError

_DATABASE = re.compile(r"^(sqlite|duckdb|postgres|postgresql)(\+\w+)?://", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PASSWORD = re.compile(r"(://[^:/@\s]*):([^@\s]+)@")


def is_database(source: str) -> bool:
    """Whether `source` is a database URL rather than a path."""
    return _DATABASE.match(source) is not None


def expand_variables(source: str) -> str:
    """Put environment variables in the place of `${NAME}`.

    Raises:
        DataError: a variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise DataError(f"{without_password(source)}: the environment variable {name} is not set")
        return os.environ[name]

    return _VARIABLE.sub(value, source)


def without_password(source: str) -> str:
    """`source` as it may be shown and stored."""
    return _PASSWORD.sub(r"\1:***@", source)
