"""The structured filter: `{"category": {"in": ["dairy"]}, "price": {"lte": 5}}`, typed by the catalogue."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor_edge.catalogue import Category, EdgeCatalogue, Tags
from savor_edge.errors import EdgeError

ANY_LEVEL = "category"
"""A field that stands for all category columns at once, unless a column has this name."""

MOST_FIELDS = 32
MOST_VALUES = 1000
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "lt": np.less,
    "lte": np.less_equal,
    "gt": np.greater,
    "gte": np.greater_equal,
}
_NAMES = ("eq", "in", "not_in", "exists")

Matches = NDArray[np.bool_]
_Maker = Callable[[str, Any], Matches]


class _ConditionError(ValueError):
    """One thing wrong with one condition."""


def matching(specification: Mapping[str, Any], catalogue: EdgeCatalogue) -> Matches:
    """(I,) bool: the items for which every condition holds.

    Unknown values match nothing but `exists: false` and `not_in`.

    Raises:
        EdgeError: the filter names an unknown field or operator, or gives a value of the wrong type; lists every
            problem.
    """
    result = np.ones(len(catalogue), np.bool_)
    if len(specification) > MOST_FIELDS:
        raise _invalid([f"it has {len(specification)} fields, and may have {MOST_FIELDS}"])
    problems: list[str] = []
    for field, operations in specification.items():
        try:
            make = _field(field, catalogue)
            if not isinstance(operations, Mapping) or not operations:
                raise _ConditionError('needs an operator and a value, like {"in": [...]}')
        except _ConditionError as problem:
            problems.append(f"{str(field)[:100]!r} {problem}")
            continue
        for operator, value in operations.items():
            try:
                result &= make(operator, value)
            except _ConditionError as problem:
                problems.append(f"{field!r}: {str(operator)[:100]!r} {problem}")
    if problems:
        raise _invalid(problems)
    return result


def _invalid(problems: list[str]) -> EdgeError:
    return EdgeError("the filter cannot be used: " + "; ".join(problems), code="filter_invalid")


def _field(name: str, catalogue: EdgeCatalogue) -> _Maker:
    if name in catalogue.categories:
        return _category(catalogue.categories[name])
    if name in catalogue.tags:
        return _tags(catalogue.tags[name])
    if name in catalogue.numerics:
        return _number(catalogue.numerics[name])
    if name == "price":
        return _number(catalogue.price)
    if name == "in_stock":
        return _flag(catalogue.in_stock)
    if name == "owner" and catalogue.owner is not None:
        return _category(catalogue.owner)
    if name == ANY_LEVEL and catalogue.categories:
        return _any_level([_category(column) for column in catalogue.categories.values()])
    known = [*catalogue.categories, *catalogue.tags, *catalogue.numerics, "price", "in_stock"]
    known += ["owner"] if catalogue.owner is not None else []
    known += [ANY_LEVEL] if catalogue.categories and ANY_LEVEL not in catalogue.categories else []
    raise _ConditionError(f"is not a field of the catalogue; it has {', '.join(known)}")


def _category(column: Category) -> _Maker:
    return lambda operator, value: _accepted(column.values, operator, value)[column.codes]


def _any_level(levels: list[_Maker]) -> _Maker:
    def make(operator: str, value: Any) -> Matches:
        every = operator == "not_in" or (operator == "exists" and not value)
        combine = np.logical_and if every else np.logical_or
        return np.asarray(combine.reduce([level(operator, value) for level in levels]), np.bool_)

    return make


def _tags(column: Tags) -> _Maker:
    def make(operator: str, value: Any) -> Matches:
        opposite = operator == "not_in" or (operator == "exists" and value is False)
        positive = {"not_in": "in"}.get(operator, operator)
        accepted = _accepted(column.values, positive, True if operator == "exists" and opposite else value)
        items = np.repeat(np.arange(len(column.start) - 1), np.diff(column.start))
        has = np.zeros(len(column.start) - 1, np.bool_)
        has[items[accepted[column.codes]]] = True
        return ~has if opposite else has

    return make


def _accepted(values: list[str], operator: str, value: Any) -> Matches:
    """(V,) bool: which codes of a column satisfy the operator; code 0 is unknown."""
    accepted = np.zeros(len(values), np.bool_)
    if operator == "exists":
        accepted[:] = _boolean(value)
        accepted[0] = not value
        return accepted
    if operator == "eq":
        wanted = {_text(value)}
    elif operator in ("in", "not_in"):
        wanted = {_text(one) for one in _several(value)}
    else:
        raise _ConditionError(f"is not an operator for it; it takes {', '.join(_NAMES)}")
    accepted[[code for code, name in enumerate(values) if code and name in wanted]] = True
    return ~accepted if operator == "not_in" else accepted


def _number(column: NDArray[np.float32]) -> _Maker:
    def make(operator: str, value: Any) -> Matches:
        if operator in _COMPARISONS:
            return np.asarray(_COMPARISONS[operator](column, np.float32(_numeric(value))), np.bool_)
        if operator == "exists":
            return np.asarray(np.isfinite(column) == _boolean(value), np.bool_)
        if operator == "eq":
            return np.asarray(column == np.float32(_numeric(value)), np.bool_)
        if operator in ("in", "not_in"):
            numbers = np.asarray([_numeric(one) for one in _several(value)], np.float32)
            return np.isin(column, numbers, invert=operator == "not_in")
        raise _ConditionError(f"is not an operator for it; it takes {', '.join((*_NAMES, *_COMPARISONS))}")

    return make


def _flag(column: Matches) -> _Maker:
    def make(operator: str, value: Any) -> Matches:
        if operator != "eq":
            raise _ConditionError("is not an operator for it; it takes eq")
        return np.asarray(column == _boolean(value), np.bool_)

    return make


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _ConditionError(f"takes text, not {type(value).__name__}")
    return str(value)


def _numeric(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 3e38:
        raise _ConditionError(f"takes a number, not {type(value).__name__}")
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _ConditionError(f"takes true or false, not {type(value).__name__}")
    return value


def _several(value: Any) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
        raise _ConditionError(f"takes a list of 1 to {MOST_VALUES} values")
    return value
