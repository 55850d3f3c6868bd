"""The frozen tables that everything after ingest works on."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from savor.core.errors import DataError
from savor.data.event_texts import EventTexts
from savor.data.events import Events
from savor.data.schema import Schema

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Dataset:
    """A folder written by ingest: `events.parquet`, `items.parquet`, `users.parquet`, `manifest.json`.

    Where searches or reviews are declared there is `texts.parquet` as well.
    Row r of the item table is item number r everywhere in Savor, and likewise for users. Both tables have the column
    `id` (string) and then the declared columns under their own names: categoricals and text as strings (null where
    unknown), multi-valued ones as lists of strings, numerics, price and stock as float64.

    Attributes:
        directory: where the files are.
        schema: what the columns mean.
        kinds: names of the kinds of events; `Events.kind` holds positions in it.
        fingerprint: 64 hexadecimal digits over the content of the tables and the schema.
        split: method, cut moments or rule, counts and hash of the split, and `data_start` and `data_end` (UTC seconds),
            as JSON values.
    """

    directory: Path
    schema: Schema
    kinds: tuple[str, ...]
    fingerprint: str
    split: dict[str, Any]

    @classmethod
    def open(cls, directory: Path) -> "Dataset":
        """Open what `savor ingest` wrote.

        Raises:
            DataError: the folder is absent, incomplete or of another format version.
        """
        try:
            manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError) as error:
            raise DataError(f"no data set in {directory}: run `savor ingest` first ({error})") from None
        if manifest.get("format_version") != FORMAT_VERSION:
            raise DataError(
                f"the data set in {directory} has format {manifest.get('format_version')!r}, this version reads "
                f"{FORMAT_VERSION}: run `savor ingest` again"
            )
        return cls(
            directory,
            Schema.model_validate(manifest["schema"]),
            tuple(manifest["kinds"]),
            manifest["fingerprint"],
            {**manifest["split"], "data_start": manifest["data_start"], "data_end": manifest["data_end"]},
        )

    @cached_property
    def events(self) -> Events:
        """All events in time order, with their split."""
        table = self._read("events")
        columns = {name: table.column(name).to_numpy(zero_copy_only=False) for name in Events.__dataclass_fields__}
        return Events(**columns)

    @cached_property
    def items(self) -> pa.Table:
        """The item table; row r is item r."""
        return self._read("items")

    @cached_property
    def users(self) -> pa.Table:
        """The user table; row r is user r."""
        return self._read("users")

    @cached_property
    def texts(self) -> EventTexts | None:
        """Searches and reviews in time order; None where none are declared."""
        return EventTexts.read(self.directory / "texts.parquet")

    def _read(self, name: str) -> pa.Table:
        try:
            return pq.read_table(self.directory / f"{name}.parquet")
        except (FileNotFoundError, pa.ArrowInvalid) as error:
            raise DataError(
                f"{name}.parquet in {self.directory} cannot be read ({error}); run `savor ingest` again"
            ) from None

    @cached_property
    def item_ids(self) -> NDArray[np.object_]:
        """(I,) object array of item id strings."""
        return np.asarray(self.items.column("id").to_pylist(), dtype=object)

    @cached_property
    def user_ids(self) -> NDArray[np.object_]:
        """(U,) object array of user id strings."""
        return np.asarray(self.users.column("id").to_pylist(), dtype=object)
