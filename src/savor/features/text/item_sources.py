"""What is known of each item in words, for something that writes about it."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from savor.core.hashing import sha256_json
from savor.features.text.vectors import item_texts

if TYPE_CHECKING:
    from savor.data.dataset import Dataset

MOST_REVIEWS = 3
"""The latest ones of an item."""


@dataclass(frozen=True)
class ItemSource:
    """The words about one item.

    Attributes:
        name: "" where there is none.
        categories: its categories and tags, from the widest.
        text: its text columns, joined.
        reviews: what people wrote about it, latest first.
    """

    name: str
    categories: tuple[str, ...] = ()
    text: str = ""
    reviews: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """64 hexadecimal digits over all of it."""
        return sha256_json(asdict(self))


def item_sources(dataset: "Dataset", *, reviews: bool) -> list[ItemSource]:
    """One for each item of the table.

    Args:
        dataset: what ingest wrote.
        reviews: whether to take what people wrote before the evaluated periods begin; where the split has no such
            moment, nothing is taken.
    """
    schema = dataset.schema.items
    number = len(dataset.item_ids)
    texts = item_texts(dataset)
    names, columns = [""] * number, []
    if schema is not None:
        if schema.name is not None:
            names = [name or "" for name in dataset.items.column(schema.name).to_pylist()]
        columns = [dataset.items.column(name).to_pylist() for name in (*schema.categories, *schema.tags)]
    written = _reviews(dataset) if reviews else {}
    return [
        ItemSource(names[row], tuple(_values(column[row] for column in columns)), texts[row], written.get(row, ()))
        for row in range(number)
    ]


def _values(cells: Iterable[str | list[str] | None]) -> Iterator[str]:
    for cell in cells:
        if isinstance(cell, list):
            yield from cell
        elif cell:
            yield cell


def _reviews(dataset: "Dataset") -> dict[int, tuple[str, ...]]:
    until = dataset.split.get("validation_start") or dataset.split.get("test_start")
    texts = dataset.texts
    if texts is None or until is None:
        return {}
    found: dict[int, list[str]] = {}
    for row in range(len(texts) - 1, -1, -1):
        review, item = texts.review[row], int(texts.item[row])
        if review and item >= 0 and texts.time[row] < until and len(found.setdefault(item, [])) < MOST_REVIEWS:
            found[item].append(review)
    return {item: tuple(listed) for item, listed in found.items()}
