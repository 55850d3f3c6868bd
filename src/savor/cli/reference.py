"""Writes the reference pages from the code: every command, every configuration key."""

import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.core import TyperGroup
from typer.main import get_command

from savor.core.config import Section
from savor.core.files import write_text_atomic

NOTICE = "<!-- Written by `make docs` from the code; edit the code. -->\n\n"


def command_page() -> str:
    """`docs/cli.md`: what every command does and takes."""
    from savor.cli.main import command_line

    group = get_command(command_line())
    assert isinstance(group, TyperGroup)
    lines = [
        NOTICE + "# Commands",
        "",
        "Every command has `--help`. Exit codes: 0 done, 1 the work failed, 2 the call was wrong.",
        "`savor --debug COMMAND` shows the whole trace of a failure.",
        "",
    ]
    for name, command in _commands(group, ""):
        usage = " ".join([f"savor {name}", *_usage(command)])
        lines += [f"## `{usage}`", "", (command.help or "").strip(), ""]
        rows = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| argument | default | what it does |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _commands(group: TyperGroup, prefix: str) -> Iterator[tuple[str, Any]]:
    """Every command with its whole name, those of groups too."""
    for name in sorted(group.commands):
        command = group.commands[name]
        if isinstance(command, TyperGroup):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def configuration_page() -> str:
    """`docs/configuration.md`: every key of `savor.toml` with its type and default."""
    from savor.cli.project import Project

    lines = [
        NOTICE + "# Configuration: `savor.toml`",
        "",
        "`savor init` writes one that runs as it is. Only `[events]` is required; unknown keys are errors, and all",
        "errors are reported at once with their lines.",
        "",
    ]
    for name, field in Project.model_fields.items():
        section = _section_of(field.annotation)
        if section is None:
            lines += [f"## `{name}`", "", field.description or "", ""]
        else:
            shown = f"{name}.NAME" if get_origin(field.annotation) is dict else name
            lines += _section_lines(shown, section, field.description or (section.__doc__ or "").splitlines()[0])
    return "\n".join(lines)


def _section_lines(name: str, section: type[Section], about: str) -> list[str]:
    lines = [f"## `[{name}]`", "", about, "", "| key | type | default | meaning |", "|---|---|---|---|"]
    nested: list[str] = []
    for key, field in section.model_fields.items():
        inner = _section_of(field.annotation)
        if inner is not None:
            shown = f"{key}.NAME" if get_origin(field.annotation) is dict else key
            nested += _section_lines(
                f"{name}.{shown}", inner, field.description or (inner.__doc__ or "").splitlines()[0]
            )
            continue
        lines.append(
            f"| `{key}` | {_type_name(field.annotation)} | {_default(field)} | {_cell(field.description or '')} |"
        )
    return [*lines, "", *nested]


def _section_of(annotation: Any) -> type[Section] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    return None


def _type_name(annotation: Any) -> str:
    origin = get_origin(annotation)
    arguments = get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{value!r}`" for value in arguments)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_type_name(part) for part in arguments if part is not type(None))
    if origin is dict:
        return f"table of {_type_name(arguments[1])}"
    if origin in (tuple, list):
        return f"list of {_type_name(arguments[0])}"
    if origin is typing.Annotated:
        return _type_name(arguments[0])
    plain = {Any: "any value", str: "text", int: "integer", float: "number", bool: "true or false"}
    return plain.get(annotation, str(annotation))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined:
        return "none"
    if isinstance(value, tuple):
        value = list(value)
    return f"`{value!r}`".replace("True", "true").replace("False", "false")


def _usage(command: Any) -> list[str]:
    return [parameter.name.upper() for parameter in command.params if parameter.param_type_name == "argument"]


def _parameter(parameter: Any) -> str:
    about = getattr(parameter, "help", None) or ""
    if parameter.param_type_name == "option":
        shown = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        default = "" if parameter.default in (None, ()) or parameter.required else f"`{parameter.default}`"
    else:
        shown, default = f"`{(parameter.name or '').upper()}`", ""
    return f"| {shown} | {default} | {_cell(about)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write both pages into the folder named on the command line."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    write_text_atomic(folder / "cli.md", command_page())
    write_text_atomic(folder / "configuration.md", configuration_page())


if __name__ == "__main__":
    main()
