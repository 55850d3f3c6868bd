"""The structured filter: `{"category": {"in": ["dairy"]}, "price": {"lte": 5}}`, typed by the catalogue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import SavorError
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn, TagColumn

Rows = NDArray[np.int32] | slice
Condition = Callable[[Rows], NDArray[np.bool_]]

ANY_LEVEL = "category"
"""A field that stands for all category columns at once, unless a column has this name."""

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "lt": np.less,
    "lte": np.less_equal,
    "gt": np.greater,
    "gte": np.greater_equal,
}
_NAMES = ("eq", "in", "not_in", "exists")
_MOST_VALUES = 1000


class FilterError(SavorError):
    """The filter names an unknown field or operator, or gives a value of the wrong type; lists every problem."""

    code = "filter_invalid"

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("the filter cannot be used: " + "; ".join(problems))


@dataclass(frozen=True)
class ItemFilter:
    """Conditions that all must hold."""

    conditions: tuple[Condition, ...]

    def matches(self, rows: Rows) -> NDArray[np.bool_]:
        """(N,) bool for the item rows asked for; unknown values match nothing but `exists: false` and `not_in`."""
        result = self.conditions[0](rows)
        for condition in self.conditions[1:]:
            result = result & condition(rows)
        return result

    @classmethod
    def parse(cls, specification: Mapping[str, Any], catalogue: Catalogue) -> "ItemFilter | None":
        """Check a filter against the catalogue's columns; an empty one is None.

        Raises:
            FilterError: with every problem found.
        """
        problems: list[str] = []
        conditions: list[Condition] = []
        for field, operations in specification.items():
            try:
                make = _field(field, catalogue)
                if not isinstance(operations, Mapping) or not operations:
                    raise _ConditionError('needs an operator and a value, like {"in": [...]}')
            except _ConditionError as problem:
                problems.append(f"{field[:100]!r} {problem}")
                continue
            for operator, value in operations.items():
                try:
                    conditions.append(make(operator, value))
                except _ConditionError as problem:
                    problems.append(f"{field!r}: {str(operator)[:100]!r} {problem}")
        if problems:
            raise FilterError(problems)
        return cls(tuple(conditions)) if conditions else None


class _ConditionError(ValueError):
    """One thing wrong with one condition."""


_Maker = Callable[[str, Any], Condition]


def _field(name: str, catalogue: Catalogue) -> _Maker:
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


def _category(column: CategoryColumn) -> _Maker:
    def make(operator: str, value: Any) -> Condition:
        accepted = _accepted_codes(column.values, operator, value)
        return lambda rows: accepted[column.codes[rows]]

    return make


def _any_level(levels: list[_Maker]) -> _Maker:
    def make(operator: str, value: Any) -> Condition:
        conditions = [level(operator, value) for level in levels]
        every = operator == "not_in" or (operator == "exists" and not value)
        combine = np.logical_and if every else np.logical_or
        return lambda rows: np.asarray(combine.reduce([condition(rows) for condition in conditions]), np.bool_)

    return make


def _tags(column: TagColumn) -> _Maker:
    def make(operator: str, value: Any) -> Condition:
        opposite = operator == "not_in" or (operator == "exists" and value is False)
        positive = {"not_in": "in"}.get(operator, operator)
        accepted = _accepted_codes(column.values, positive, True if operator == "exists" and opposite else value)
        items = np.repeat(np.arange(len(column.indptr) - 1), np.diff(column.indptr))
        has = np.zeros(len(column.indptr) - 1, np.bool_)
        has[items[accepted[column.codes]]] = True
        result = ~has if opposite else has
        return lambda rows: result[rows]

    return make


def _accepted_codes(values: list[str], operator: str, value: Any) -> NDArray[np.bool_]:
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
    def make(operator: str, value: Any) -> Condition:
        if operator in _COMPARISONS:
            compare, limit = _COMPARISONS[operator], np.float32(_numeric(value))
            return lambda rows: np.asarray(compare(column[rows], limit), np.bool_)
        if operator == "exists":
            wanted = _boolean(value)
            return lambda rows: np.isfinite(column[rows]) == wanted
        if operator == "eq":
            number = np.float32(_numeric(value))
            return lambda rows: column[rows] == number
        if operator in ("in", "not_in"):
            numbers = np.asarray([_numeric(one) for one in _several(value)], np.float32)
            return lambda rows: np.isin(column[rows], numbers, invert=operator == "not_in")
        raise _ConditionError(f"is not an operator for it; it takes {', '.join((*_NAMES, *_COMPARISONS))}")

    return make


def _flag(column: NDArray[np.bool_]) -> _Maker:
    def make(operator: str, value: Any) -> Condition:
        if operator != "eq":
            raise _ConditionError("is not an operator for it; it takes eq")
        wanted = _boolean(value)
        return lambda rows: column[rows] == wanted

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
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_VALUES:
        raise _ConditionError(f"takes a list of 1 to {_MOST_VALUES} values")
    return value
