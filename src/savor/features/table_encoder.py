"""The fitted encoding of one table, items or users: ids, categories, tags and numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from savor.features.columns import Columns
from savor.features.input_spec import InputSpec
from savor.features.multi_valued import padded
from savor.features.profiles import UserProfile
from savor.features.scaling import Scaler
from savor.features.vocabulary import Vocabulary

Inputs = dict[str, NDArray[Any]]
"""Arrays by input name, all with the same first dimension."""


@dataclass(frozen=True)
class TableEncoder:
    """Gives the inputs of a tower that come from one table.

    Per row: `{side}_id` () int32, `{side}_category_{n}` () int32, `{side}_tag_{n}` (`maximum_tags`,) int32, and
    `{side}_numeric` (2 × number of numeric columns,) float32.

    Attributes:
        side: "user" or "item", the beginning of the inputs' names.
        ids: vocabulary of the ids.
        categories, tags: vocabularies by column name.
        scalers: by column name.
        maximum_tags: how many values of a tag column are kept.
    """

    side: Literal["user", "item"]
    ids: Vocabulary
    categories: Mapping[str, Vocabulary]
    tags: Mapping[str, Vocabulary]
    scalers: Mapping[str, Scaler]
    maximum_tags: int

    @classmethod
    def fit(
        cls,
        side: Literal["user", "item"],
        known_ids: Iterable[str],
        columns: Columns,
        rows: NDArray[np.int64],
        *,
        id_buckets: int,
        value_buckets: int,
        maximum_tags: int,
    ) -> Self:
        """Fit on the table's `rows` (those seen in training) only; `known_ids` get codes of their own."""

        def tag_values(name: str) -> Iterable[str]:
            column = columns.tags[name]
            return (value for row in rows for value in column.of(int(row)))

        return cls(
            side,
            Vocabulary.fit(known_ids, id_buckets),
            {
                name: Vocabulary.fit((column.values[code] for code in np.unique(column.codes[rows])), value_buckets)
                for name, column in columns.categories.items()
            },
            {name: Vocabulary.fit(tag_values(name), value_buckets) for name in columns.tags},
            {name: Scaler.fit(column[rows]) for name, column in columns.numerics.items()},
            maximum_tags,
        )

    def signature(self) -> dict[str, InputSpec]:
        """The inputs this gives, in a fixed order."""
        side = self.side
        signature = {f"{side}_id": InputSpec("int32", (), "id", self.ids.cardinality, "id")}
        for number, (name, vocabulary) in enumerate(self.categories.items()):
            spec = InputSpec("int32", (), "category", vocabulary.cardinality, name)
            signature[f"{side}_category_{number}"] = spec
        for number, (name, vocabulary) in enumerate(self.tags.items()):
            spec = InputSpec("int32", (self.maximum_tags,), "tags", vocabulary.cardinality, name)
            signature[f"{side}_tag_{number}"] = spec
        if self.scalers:
            signature[f"{side}_numeric"] = InputSpec("float32", (2 * len(self.scalers),), "numeric")
        return signature

    def encode(self, ids: Sequence[str], columns: Columns) -> Inputs:
        """The inputs of R rows. Columns that are absent are unknown; columns that were not fitted are not used."""
        side, rows = self.side, len(ids)
        inputs: Inputs = {f"{side}_id": self.ids.encode(ids)}
        for number, (name, vocabulary) in enumerate(self.categories.items()):
            category = columns.categories.get(name)
            codes = np.zeros(rows, np.int32) if category is None else vocabulary.encode(category.values)[category.codes]
            inputs[f"{side}_category_{number}"] = codes
        for number, (name, vocabulary) in enumerate(self.tags.items()):
            tag = columns.tags.get(name)
            if tag is None:
                inputs[f"{side}_tag_{number}"] = np.zeros((rows, self.maximum_tags), np.int32)
            else:
                codes = vocabulary.encode(tag.values)[tag.codes]
                inputs[f"{side}_tag_{number}"] = padded(tag.indptr, codes, self.maximum_tags)
        if self.scalers:
            unknown = np.full(rows, np.nan, np.float32)
            scaled = [scaler.transform(columns.numerics.get(name, unknown)) for name, scaler in self.scalers.items()]
            inputs[f"{side}_numeric"] = np.concatenate(scaled, axis=1)
        return inputs

    def encode_profile(self, profile: UserProfile) -> Inputs:
        """What `encode` gives for a table of this one user, in a fraction of the time."""
        side, width = self.side, self.maximum_tags
        inputs: Inputs = {f"{side}_id": np.asarray([self.ids.code(profile.id)], np.int32)}
        for number, (name, vocabulary) in enumerate(self.categories.items()):
            code = vocabulary.code(profile.categories.get(name))
            inputs[f"{side}_category_{number}"] = np.asarray([code], np.int32)
        for number, (name, vocabulary) in enumerate(self.tags.items()):
            values = sorted({value for value in profile.tags.get(name, ()) if value})[:width]
            codes = np.zeros((1, width), np.int32)
            codes[0, : len(values)] = vocabulary.encode(values)
            inputs[f"{side}_tag_{number}"] = codes
        if self.scalers:
            numbers = [
                scaler.transform(np.asarray([profile.numerics.get(name, np.nan)], np.float32))
                for name, scaler in self.scalers.items()
            ]
            inputs[f"{side}_numeric"] = np.concatenate(numbers, axis=1)
        return inputs

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return {
            "side": self.side,
            "ids": self.ids.to_json(),
            "categories": [[name, vocabulary.to_json()] for name, vocabulary in self.categories.items()],
            "tags": [[name, vocabulary.to_json()] for name, vocabulary in self.tags.items()],
            "scalers": [[name, scaler.to_json()] for name, scaler in self.scalers.items()],
            "maximum_tags": self.maximum_tags,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(
            value["side"],
            Vocabulary.from_json(value["ids"]),
            {name: Vocabulary.from_json(entry) for name, entry in value["categories"]},
            {name: Vocabulary.from_json(entry) for name, entry in value["tags"]},
            {name: Scaler.from_json(entry) for name, entry in value["scalers"]},
            value["maximum_tags"],
        )
