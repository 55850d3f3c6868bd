"""What serving and rankers know of the items: NumPy columns and lists of strings."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.core.errors import BundleError
from savor.features.columns import CategoryColumn, Columns, TagColumn, numbers

if TYPE_CHECKING:
    from savor.data.dataset import Dataset

__all__ = ["Catalogue", "CategoryColumn", "TagColumn"]

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Catalogue:
    """I items as columns; row r is item number r.

    Attributes:
        ids: I distinct item ids.
        names: I names for people; the id where there is none.
        categories: by column name, from the widest level to the narrowest.
        tags: by column name.
        numerics: by column name, (I,) float32, NaN where unknown.
        price: (I,) float32, NaN where unknown.
        in_stock: (I,) bool, True where unknown.
        owner: the business that owns each item; None where the schema names no such column.
        created: (I,) int64 UTC seconds when each item came, -1 where unknown; None where the schema names no such
            column.
        rows: from item id to row; None: from `ids`, all of them.
    """

    ids: list[str]
    names: list[str]
    categories: dict[str, CategoryColumn]
    tags: dict[str, TagColumn]
    numerics: dict[str, NDArray[np.float32]]
    price: NDArray[np.float32]
    in_stock: NDArray[np.bool_]
    owner: CategoryColumn | None
    created: NDArray[np.int64] | None = None
    rows: Mapping[str, int] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """From item id to row."""
        return {name: row for row, name in enumerate(self.ids)} if self.rows is None else self.rows

    @classmethod
    def from_dataset(cls, dataset: "Dataset", until: int | None = None) -> "Catalogue":
        """The catalogue of `dataset`.

        Args:
            dataset: its item table gives everything but, where it has no price column, the price.
            until: the price is then the median of money over quantity of each item's events before this moment (UTC
                seconds); None takes the training events.
        """
        table, schema = dataset.items, dataset.schema.items
        ids = table.column("id").to_pylist()
        if schema is None:
            return cls(ids, list(ids), {}, {}, {}, _sold_price(dataset, until), np.ones(len(ids), np.bool_), None)
        names = table.column(schema.name).to_pylist() if schema.name else ids
        price = numbers(table, schema.price) if schema.price else _sold_price(dataset, until)
        stock = numbers(table, schema.stock) if schema.stock else np.full(len(ids), np.nan, np.float32)
        columns = Columns.from_table(table, schema.categories, schema.tags, schema.numerics)
        return cls(
            ids,
            [name or identifier for name, identifier in zip(names, ids, strict=True)],
            dict(columns.categories),
            dict(columns.tags),
            dict(columns.numerics),
            price,
            np.isnan(stock) | (stock > 0),
            CategoryColumn.from_strings(table.column(schema.owner).to_pylist()) if schema.owner else None,
            _moments(table.column(schema.created).to_pylist()) if schema.created else None,
        )

    @property
    def columns(self) -> Columns:
        """Categories, tags and numerics together."""
        return Columns(self.categories, self.tags, self.numerics)

    def save(self, directory: Path) -> None:
        """Write `catalogue.json` and one `.npy` file per column; the same content gives the same bytes."""
        directory.mkdir(parents=True, exist_ok=True)
        columns = self.columns.save(directory)
        np.save(directory / "price.npy", self.price)
        np.save(directory / "in_stock.npy", self.in_stock)
        if self.owner is not None:
            np.save(directory / "owner.npy", self.owner.codes)
        if self.created is not None:
            np.save(directory / "created.npy", self.created)
        document = {
            "format_version": FORMAT_VERSION,
            "ids": self.ids,
            "names": self.names,
            "columns": columns,
            "owner": None if self.owner is None else self.owner.values,
            "created": self.created is not None,
        }
        (directory / "catalogue.json").write_bytes(orjson.dumps(document))

    @classmethod
    def load(cls, directory: Path) -> "Catalogue":
        """Read what `save` wrote.

        Raises:
            BundleError: a file is absent, damaged, or of another format version.
        """

        def array(name: str) -> Any:
            return np.load(directory / f"{name}.npy", allow_pickle=False)

        try:
            document = orjson.loads((directory / "catalogue.json").read_bytes())
            if document["format_version"] != FORMAT_VERSION:
                raise BundleError(
                    f"{directory} has catalogue format {document['format_version']}, not {FORMAT_VERSION}"
                )
            columns = Columns.load(directory, document["columns"])
            return cls(
                document["ids"],
                document["names"],
                dict(columns.categories),
                dict(columns.tags),
                dict(columns.numerics),
                array("price"),
                array("in_stock"),
                None if document["owner"] is None else CategoryColumn(array("owner"), document["owner"]),
                array("created") if document.get("created") else None,
            )
        except (OSError, ValueError, KeyError) as error:
            raise BundleError(
                f"the catalogue in {directory} cannot be read ({error}); publish the bundle again"
            ) from None


def _moments(values: list[int | None]) -> NDArray[np.int64]:
    return np.asarray([-1 if value is None else value for value in values], np.int64)


def _sold_price(dataset: "Dataset", until: int | None) -> NDArray[np.float32]:
    """(I,) float32, median of `price / max(value, 1)` over each item's known events; NaN where it has none."""
    from savor.data.splits import TRAIN  # brings the data engine, which serving does without

    events = dataset.events
    known = events.split == TRAIN if until is None else events.time < until
    known &= np.isfinite(events.price)
    item = events.item[known]
    unit = events.price[known] / np.maximum(events.value[known], 1)
    order = np.lexsort((unit, item))
    item, unit = item[order], unit[order]
    rows, start, count = np.unique(item, return_index=True, return_counts=True)
    price = np.full(len(dataset.items), np.nan, np.float32)
    price[rows] = (unit[start + (count - 1) // 2] + unit[start + count // 2]) / 2
    return price
