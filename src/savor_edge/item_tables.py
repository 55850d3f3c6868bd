"""What a ranker must know of the items: `ranker.json` and `ranker.bin`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor_edge.catalogue import EdgeCatalogue


class Level(NamedTuple):
    """One level of the categories, with C of them.

    Attributes:
        name: of the category column.
        codes: (I + H,) category of each item, those that count in histories only at the end.
        table: (C, M) statistics of the categories, float16 or float32.
    """

    name: str
    codes: NDArray[Any]
    table: NDArray[Any]


@dataclass(frozen=True)
class ItemTables:
    """Statistics of I items and of the categories above them, as of the export.

    Attributes:
        horizon_days: length of the window that rebuying is measured over.
        columns: names of the K statistics of an item.
        level_columns: names of the M statistics of a category.
        items: (I, K + 1 + 2 L) float16 or float32: the statistics, the logarithm of the price, then for each level the
            item's share of its category and how dear it is there.
        levels: L, from the widest to the narrowest.
        trending_item, trending: (T,) rows of what sold of late, most first, and how much of each.
    """

    horizon_days: int
    columns: tuple[str, ...]
    level_columns: tuple[str, ...]
    items: NDArray[Any]
    levels: tuple[Level, ...]
    trending_item: NDArray[Any]
    trending: NDArray[Any]

    @classmethod
    def of(
        cls, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], catalogue: EdgeCatalogue
    ) -> "ItemTables":
        """From `ranker.json` and the arrays of `ranker.bin`.

        Raises:
            KeyError: something is absent.
            ValueError: the arrays do not fit the catalogue.
        """
        statistics = document["statistics"]
        columns, level_columns = tuple(statistics["item"]), tuple(statistics["category"])
        levels = []
        for number, name in enumerate(statistics["levels"]):
            codes = np.concatenate([catalogue.categories[name].codes, arrays[f"kept/{number}"]]).astype(np.int32)
            table = arrays[f"category/{number}"].reshape(-1, len(level_columns))
            if len(codes) != len(catalogue.index) or codes[: len(catalogue)].max(initial=0) >= len(table):
                raise ValueError(f"the categories of {name} are not those of the catalogue")
            levels.append(Level(name, codes, table))
        width = len(columns) + 1 + 2 * len(levels)
        if len(arrays["trending"]) != len(arrays["trending_item"]):
            raise ValueError("not every item that sold of late has a number")
        return cls(
            int(statistics["horizon_days"]),
            columns,
            level_columns,
            arrays["items"].reshape(len(catalogue), width),
            tuple(levels),
            arrays["trending_item"],
            arrays["trending"],
        )
