"""The items of a bundle with what was said of them since."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import SavorError
from savor.features.catalogue import Catalogue
from savor.features.columns import extended
from savor.features.growing import Growing
from savor.features.images.vectors import ImageVectors
from savor.features.item_documents import Document, laid_over
from savor.features.layered_rows import LayeredRows
from savor.index.index import Index
from savor.models.litert_tower import LiteRtTower
from savor.models.neighbours import Neighbours
from savor.pipeline.item_tables import ItemTables
from savor.pipeline.opened_bundle import OpenedBundle

logger = logging.getLogger("savor.pipeline")
_AT_ONCE = 512
_ABSENT = object()


class Said(NamedTuple):
    """The last that was said of an item.

    Attributes:
        id: of the item.
        document: what was said; None where it was removed.
        at: UTC seconds.
    """

    id: str
    document: Document | None
    at: int


class LiveItems:
    """Lays what is said of items over the tables of a bundle.

    Rows never change their item: tables given out before stay usable while new ones are made. `lay` and `fold` are for
    one thread at a time; `at_once` is quick and may be called by any.

    Args:
        opened: gives the item tower.
        tables: of the bundle; prices and stock in them are written to.
    """

    def __init__(self, opened: OpenedBundle, tables: ItemTables) -> None:
        catalogue = tables.catalogue
        self._opened, self._base = opened, tables
        self._tower: LiteRtTower | None = None
        self._price, self._in_stock = Growing(catalogue.price, own=True), Growing(catalogue.in_stock, own=True)
        self._first_price, self._first_stock = catalogue.price.copy(), catalogue.in_stock.copy()
        self._vectors = None if tables.vectors is None else Growing(tables.vectors)
        self._neighbours = Growing(tables.neighbours.item), Growing(tables.neighbours.weight)
        self._added: dict[str, int] = {}
        self._removed: frozenset[str] = frozenset()
        self._laid: dict[str, Document | None] = {}
        self._unfolded: set[int] = set()
        self._writing = Lock()
        self.tables = tables
        """The items as they are now."""
        self.problem = ""
        """Why the last new items were embedded with less than there is; empty where they were not."""

    def row(self, identifier: str) -> int | None:
        """The row of an item, a removed one too; None for one that was never there."""
        row = self._base.catalogue.index.get(identifier)
        return self._added.get(identifier) if row is None else row

    def at_once(self, said: Said) -> bool:
        """Write price and stock of an item, or its removal, where every answer from now on looks.

        Returns:
            Whether that is all there is to do: False where something else was said too, or the item is new.
        """
        row = self.row(said.id)
        if row is None:
            return said.document is None
        with self._writing:
            self._write(row, said.document)
        laid = self._laid.get(said.id, {})
        if said.document is None or laid is None:
            return False
        both = said.document.keys() | laid.keys()
        return all(name == "in_stock" or said.document.get(name, _ABSENT) == laid.get(name, _ABSENT) for name in both)

    def lay(self, everything: Iterable[Said]) -> ItemTables:
        """Take in what was said; the last about an item counts.

        Items that are new, or described otherwise, are embedded by the item tower, or where there is none stand at the
        mean of their category.
        """
        said = {one.id: one for one in everything}
        now = self.tables
        ids = [name for name, one in said.items() if one.document is not None and self.row(name) is None]
        added = {**self._added, **{name: len(now) + place for place, name in enumerate(ids)}}
        gone = frozenset(name for name, one in said.items() if one.document is None)
        back = frozenset(name for name, one in said.items() if one.document is not None)
        removed = (self._removed | gone) - back
        rows = {name: self._base.catalogue.index.get(name, added.get(name)) for name in said}
        documents: dict[int, Document] = {}
        for name, row in rows.items():
            one = said[name]
            if row is None or one.document is None:
                continue
            # A new item that names no moment came when it was first heard of.
            documents[row] = one.document if row < len(self._base) else {"created": one.at, **one.document}
        catalogue, changed = laid_over(now.catalogue, self._base.catalogue, ids, documents)
        with self._writing:
            price, in_stock = self._price.grow(len(catalogue), np.nan), self._in_stock.grow(len(catalogue))
            for name, row in rows.items():
                if row is not None:
                    self._write(row, said[name].document)
        index = LayeredRows(self._base.catalogue.index, added, removed)
        catalogue = replace(catalogue, price=price, in_stock=in_stock, rows=index)
        tables = self._with(catalogue, documents, changed)
        self._added, self._removed, self.tables = added, removed, tables
        self._laid.update({name: one.document for name, one in said.items()})
        return tables

    @property
    def unfolded(self) -> int:
        """How many rows the index does not have, or has otherwise."""
        return len(self.tables.fresh)

    def begin_fold(self) -> NDArray[np.float32]:
        """(I, D) the vectors that a new index is to be built over; then call `fold`."""
        assert self._vectors is not None
        self._unfolded = set()
        return self._vectors.rows

    def fold(self, index: Index) -> ItemTables:
        """Search with an index over what `begin_fold` gave, and look at what came since one by one."""
        later = {row for row in self.tables.fresh.tolist() if row >= len(index)} | self._unfolded
        self.tables = self._searching(self.tables, index, np.asarray(sorted(later), np.int32), _NOTHING)
        return self.tables

    def _write(self, row: int, document: Document | None) -> None:
        """Price and stock of a row; what is not said is as in the bundle, and a new item is in stock."""
        known = row < len(self._first_price)
        price, in_stock = self._price.rows, self._in_stock.rows
        if document is None:
            in_stock[row] = False
            return
        said = document.get("price", self._first_price[row] if known else None)
        price[row] = said if isinstance(said, int | float | np.floating) else np.nan
        flag = document.get("in_stock", self._first_stock[row] if known else None)
        in_stock[row] = True if flag is None else bool(flag)

    def _with(self, catalogue: Catalogue, documents: Mapping[int, Document], changed: set[int]) -> ItemTables:
        """The tables over a longer `catalogue`.

        `changed` are the new rows, and those of `documents` whose columns are others than before.
        """
        now, rows, old = self.tables, len(catalogue), len(self.tables)
        touched = np.asarray(sorted(documents), np.int32)
        new = np.asarray(sorted(changed | {row for row in documents if self._speaks(documents[row])}), np.int32)
        neighbours = now.neighbours
        if rows > old:
            item, weight = self._neighbours
            neighbours = Neighbours(item.grow(rows, -1), weight.grow(rows))
        tables = replace(
            now,
            catalogue=catalogue,
            popularity=_longer(now.popularity, rows),
            trending=None if now.trending is None else _longer(now.trending, rows),
            neighbours=neighbours,
            statistics=None if now.statistics is None else now.statistics.with_items(catalogue, touched),
            space=None if now.space is None or not len(new) else now.space.with_items(catalogue, new),
            images=None if now.images is None else ImageVectors(extended(now.images.row, rows, 0), now.images.vectors),
        )
        if not len(new):
            return replace(tables, space=now.space)
        if self._vectors is None or now.index is None:
            return tables
        made = self._embedded(tables, new, documents)
        with self._writing:
            vectors = self._vectors.grow(rows)
            vectors[new] = made
        self._unfolded.update(new.tolist())
        fresh = np.union1d(now.fresh, new).astype(np.int32)
        return self._searching(replace(tables, vectors=vectors), now.index, fresh, new)

    def _searching(
        self, tables: ItemTables, index: Index, fresh: NDArray[np.int32], changed: NDArray[np.int32]
    ) -> ItemTables:
        made = replace(tables, index=index, fresh=fresh)
        before = self.tables.search
        if before is not None and made.vectors is not None:
            vars(made)["search"] = before.over(index, made.vectors, fresh, changed)
        return made

    def _embedded(
        self, tables: ItemTables, rows: NDArray[np.int32], documents: Mapping[int, Document]
    ) -> NDArray[np.float32]:
        """(B, D) vectors of `rows`."""
        assert tables.vectors is not None
        if self._tower is None:
            self._tower = self._opened.item_tower()
        if self._tower is None or tables.space is None:
            return self._means(tables, rows)
        made = np.empty((len(rows), tables.vectors.shape[1]), np.float32)
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            inputs = tables.space.item_inputs(part)
            if "item_text" in inputs:
                self._put_texts(inputs["item_text"], tables, part, documents)
            made[start : start + len(part)] = self._tower(inputs)
        return made

    def _put_texts(
        self,
        vectors: NDArray[np.float32],
        tables: ItemTables,
        rows: NDArray[np.int32],
        documents: Mapping[int, Document],
    ) -> None:
        """Write the vectors of the rows' texts into (B, W) `vectors`; without the encoder, what is there stays."""
        assert tables.space is not None
        texts = {
            place: text
            for place, row in enumerate(rows.tolist())
            if (row >= len(self._base) or self._speaks(documents.get(row, {})))
            and (text := self._text(tables.catalogue, row, documents.get(row, {})))
        }
        if not texts:
            return
        try:
            encoder = self._opened.text_encoder(tables.space.options.text_encoder)
            vectors[list(texts)] = encoder.encode(list(texts.values()))
            self.problem = ""
        except SavorError as error:
            self.problem = f"texts of new items are left out: {error}"
            logger.warning("%s", self.problem)

    def _speaks(self, document: Document) -> bool:
        """Whether a document says something that is encoded as text."""
        return "text" in document or any(name in document for name in self.text_columns)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns that an item's text is made of, in their order."""
        return tuple(self._opened.config.get("text", ()))

    def _text(self, catalogue: Catalogue, row: int, document: Document) -> str:
        """The text of an item, put together as in training."""
        if isinstance(said := document.get("text"), str):
            return said
        parts: list[str] = []
        for name in self.text_columns:
            value = document.get(name)
            if name in catalogue.categories:
                value = catalogue.categories[name].of(row)
            elif name in catalogue.tags:
                value = " ".join(catalogue.tags[name].of(row))
            elif name == self._opened.config.get("name"):
                value = catalogue.names[row]
            parts += [value] if isinstance(value, str) and value else []
        return ", ".join(parts)

    def _means(self, tables: ItemTables, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """(B, D) for each row the mean vector of the bundle's items of its narrowest category, or of all."""
        vectors, catalogue = self._base.vectors, tables.catalogue
        assert vectors is not None
        made = np.zeros((len(rows), vectors.shape[1]), np.float32)
        length = float(np.linalg.norm(vectors[:_AT_ONCE], axis=1).mean()) if len(vectors) else 1.0
        for place, row in enumerate(rows.tolist()):
            for column in reversed(catalogue.categories.values()):
                alike = np.flatnonzero(column.codes[: len(vectors)] == column.codes[row]) if column.codes[row] else ()
                if len(alike):
                    made[place] = vectors[alike].mean(axis=0)
                    break
            else:
                made[place] = vectors[:_AT_ONCE].mean(axis=0) if len(vectors) else 0
        made *= np.float32(length) / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), np.float32(1e-9))
        return made


_NOTHING = np.empty(0, np.int32)


def _longer(values: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    return values if len(values) == rows else extended(values, rows, 0)
