"""What may be said of an item while the service runs, and laying it over a catalogue."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn, extended

Document = Mapping[str, Any]
FIELDS = ("name", "price", "in_stock", "owner", "created", "text")
"""Fields that every catalogue takes; the others are its own columns."""

_LARGEST = 3e38
_LATEST = 253_402_300_799


class DocumentProblem(NamedTuple):
    """A field that cannot be taken, and why."""

    field: str
    reason: str


def document_problems(document: Document, catalogue: Catalogue, texts: Collection[str]) -> list[DocumentProblem]:
    """Everything that is wrong with a document; null means unknown everywhere.

    Args:
        document: values by field.
        catalogue: says which columns there are, and of what kind.
        texts: names of the columns of text that are no columns of the catalogue.
    """
    problems = []
    for name, value in document.items():
        check = _check_of(name, catalogue, texts)
        if check is None:
            known = [*FIELDS, *catalogue.categories, *catalogue.tags, *catalogue.numerics, *texts]
            listed = ", ".join(dict.fromkeys(known))
            problems.append(DocumentProblem(name[:100], f"is no field of these items; they have {listed}"[:1000]))
        elif value is not None and (reason := check(value)):
            problems.append(DocumentProblem(name, reason))
    return problems


def _check_of(name: str, catalogue: Catalogue, texts: Collection[str]) -> Callable[[Any], str] | None:
    if name == "in_stock":
        return lambda value: "" if isinstance(value, bool) else "takes true or false"
    if name == "price":
        return lambda value: "" if _is_number(value) and value >= 0 else "takes a number that is not below 0"
    if name == "created":
        whole = "takes UTC seconds since 1970, a whole number"
        return lambda value: "" if _is_number(value) and isinstance(value, int) and 0 <= value <= _LATEST else whole
    if name in catalogue.tags:
        return lambda value: "" if isinstance(value, list) and all(map(_is_text, value)) else "takes a list of texts"
    if name in catalogue.numerics:
        return lambda value: "" if _is_number(value) else "takes a number"
    if name in FIELDS or name in catalogue.categories or name in texts:
        return lambda value: "" if _is_text(value) else "takes a text"
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) < _LARGEST
    )


def _numbers_of(column: NDArray[Any]) -> Callable[[int], Any]:
    return lambda row: column[row].item()


def item_document(catalogue: Catalogue, row: int) -> dict[str, Any]:
    """What a catalogue knows of an item, as a document; what is unknown is null."""
    price = float(catalogue.price[row])
    document: dict[str, Any] = {
        "name": catalogue.names[row],
        "price": round(price, 4) if math.isfinite(price) else None,
        "in_stock": bool(catalogue.in_stock[row]),
    }
    if catalogue.owner is not None:
        document["owner"] = catalogue.owner.of(row) or None
    if catalogue.created is not None:
        document["created"] = int(catalogue.created[row]) if catalogue.created[row] >= 0 else None
    document |= {name: column.of(row) or None for name, column in catalogue.categories.items()}
    document |= {name: column.of(row) for name, column in catalogue.tags.items()}
    for name, numbers in catalogue.numerics.items():
        value = float(numbers[row])
        document[name] = round(value, 6) if math.isfinite(value) else None
    return document


def laid_over(
    catalogue: Catalogue, base: Catalogue, ids: list[str], documents: Mapping[int, Document]
) -> tuple[Catalogue, set[int]]:
    """A catalogue with documents laid over it.

    A field that a document does not have is as in `base`, and unknown where `base` does not have the item; a value of a
    wrong kind counts as not there. Price and stock stay as they are in `catalogue`.

    Args:
        catalogue: what is there.
        base: what the bundle says.
        ids: of items that are added at the end, with price and stock unknown.
        documents: by row.

    Returns:
        The catalogue, and the rows among `documents` whose columns are others than before.
    """
    old, rows = len(catalogue), len(catalogue) + len(ids)
    every = [*catalogue.ids, *ids] if ids else catalogue.ids
    accepts: dict[str, Callable[[Any], str]] = {}

    def values(name: str, fallback: Callable[[int], Any], unknown: Any) -> dict[int, Any]:
        check = accepts.setdefault(name, _check_of(name, base, ()) or (lambda _: "unknown"))
        found = {}
        for row, document in documents.items():
            value = document.get(name)
            if name in document and (value is None or not check(value)):
                found[row] = unknown if value is None else value
            else:
                found[row] = fallback(row) if row < len(base) else unknown
        return found

    changed = {row for row in documents if row >= old}

    def category(name: str, now: CategoryColumn, first: CategoryColumn) -> CategoryColumn:
        made = now.changed(rows, values(name, first.of, ""))
        changed.update(row for row in documents if row < old and made.codes[row] != now.codes[row])
        return made

    tags = {}
    for name, now in catalogue.tags.items():
        said = values(name, base.tags[name].of, [])
        changed.update(row for row, listed in said.items() if row < old and {*listed} - {""} != {*now.of(row)})
        tags[name] = now.changed(rows, said)
    numerics = {}
    for name, column in catalogue.numerics.items():
        numerics[name] = extended(column, rows, np.nan)
        for row, value in values(name, _numbers_of(base.numerics[name]), np.nan).items():
            numerics[name][row] = value
            if row < old and not np.array_equal(numerics[name][row], column[row], equal_nan=True):
                changed.add(row)
    names = [*catalogue.names, *ids]
    for row, name in values("name", base.names.__getitem__, "").items():
        names[row] = name or every[row]
    owner = None
    if catalogue.owner is not None and base.owner is not None:
        owner = catalogue.owner.changed(rows, values("owner", base.owner.of, ""))
    created = None
    if catalogue.created is not None and base.created is not None:
        created = extended(catalogue.created, rows, -1)
        for row, moment in values("created", _numbers_of(base.created), -1).items():
            created[row] = moment
    categories = {name: category(name, now, base.categories[name]) for name, now in catalogue.categories.items()}
    return (
        replace(
            catalogue,
            ids=every,
            names=names,
            categories=categories,
            tags=tags,
            numerics=numerics,
            price=extended(catalogue.price, rows, np.nan),
            in_stock=extended(catalogue.in_stock, rows, 0),
            owner=owner,
            created=created,
        ),
        changed,
    )
