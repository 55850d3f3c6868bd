"""Keys of the configuration by their dotted names."""

from collections.abc import Mapping
from copy import deepcopy
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from savor.core.config import Section


def find_field(kind: type[Section], key: str) -> FieldInfo:
    """The field that `key`, such as `retrieval.temperature`, names below `kind`.

    Raises:
        KeyError: there is none; its argument says what was looked for and what is near.
    """
    section, field = kind, None
    parts = key.split(".")
    for position, part in enumerate(parts):
        field = section.model_fields.get(part)
        if field is None:
            near = get_close_matches(part, section.model_fields, n=3)
            hint = f"; near are {', '.join(near)}" if near else ""
            raise KeyError(f"no such key as {'.'.join(parts[: position + 1])!r}{hint}")
        if position < len(parts) - 1:
            inner = [
                one for one in _alternatives(field.annotation) if isinstance(one, type) and issubclass(one, Section)
            ]
            if not inner:
                raise KeyError(f"{'.'.join(parts[: position + 1])!r} is no table")
            section = inner[0]
    assert field is not None
    return field


def is_integral(field: FieldInfo) -> bool:
    """Whether the field takes whole numbers only."""
    kinds = _alternatives(field.annotation)
    return int in kinds and float not in kinds


def get_value(values: Mapping[str, Any], key: str) -> Any:
    """The value at the dotted `key`; None where there is nothing."""
    found: Any = values
    for part in key.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def with_values(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the nested `values` in which the dotted keys of `changes` are set."""
    changed = deepcopy(dict(values))
    for key, value in changes.items():
        *tables, last = key.split(".")
        place = changed
        for table in tables:
            place = place.setdefault(table, {})
        place[last] = value
    return changed


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
