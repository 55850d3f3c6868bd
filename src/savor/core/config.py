"""The base of every configuration section, and reading them from TOML with all problems reported at once."""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from savor.core.errors import ConfigError


class Section(BaseModel):
    """A frozen, typed part of the configuration; unknown keys are errors, not silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, protected_namespaces=())


SectionType = TypeVar("SectionType", bound=Section)


def read_config(path: Path, kind: type[SectionType]) -> SectionType:
    """Read a TOML file as `kind`.

    Raises:
        ConfigError: the file is absent, is not TOML, or breaks the rules; every problem is named with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            [f"not found in {path.parent.resolve()}; make one with: savor init --events FILE"], source=path.name
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"is not UTF-8 text (byte {error.start})"], source=path.name) from None
    return parse_config(text, kind, source=path.name)


def parse_config(text: str, kind: type[SectionType], *, source: str = "savor.toml") -> SectionType:
    """Parse TOML text as `kind`; see `read_config`."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"is not valid TOML: {error}"], source=source) from None
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = [_describe(problem, text) for problem in error.errors(include_url=False)]
        raise ConfigError(problems, source=source) from None


def _describe(problem: Any, text: str) -> str:
    location = [part for part in problem["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
    key = ".".join(str(part) for part in location) or "the file"
    line = _line_of(location, text)
    where = f"line {line}: {key}" if line else key
    if problem["type"] == "extra_forbidden":
        return f"{where}: unknown key"
    if problem["type"] == "missing":
        return f"{where}: required, and absent"
    message = problem["msg"].removeprefix("Value error, ")
    given = problem.get("input")
    shown = "" if isinstance(given, dict) or problem["type"] == "value_error" else f" (got {given!r})"
    return f"{where}: {message[:1].lower()}{message[1:]}{shown}"


def _line_of(location: list[Any], text: str) -> int | None:
    """The line that sets the key at `location`, or that opens the deepest of its tables that is there."""
    names = [part for part in location if isinstance(part, str)]
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+\s*(#.*)?$", line):
            table = [part.strip().strip("\"'") for part in header.group(1).split(".")]
            depth = len(table) if names[: len(table)] == table else 0
        elif setting := re.match(r"\s*([A-Za-z0-9_.\"'-]+)\s*=", line):
            path = table + [part.strip("\"'") for part in setting.group(1).split(".")]
            depth = len(path) if names[: len(path)] == path else 0
        else:
            continue
        if depth and (best is None or depth > best[0]):
            best = (depth, number)
    return best[1] if best else None
