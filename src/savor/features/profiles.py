"""What is known of the users apart from what they did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from savor.core.errors import BundleError
from savor.features.columns import Columns

if TYPE_CHECKING:
    from savor.data.dataset import Dataset


@dataclass(frozen=True)
class UserProfile:
    """One user; columns that are absent are unknown."""

    id: str
    categories: Mapping[str, str | None] = field(default_factory=dict)
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numerics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Profiles:
    """U users as columns; row r is user number r.

    Attributes:
        ids: U distinct user ids.
        columns: what the schema declares of them.
    """

    ids: list[str]
    columns: Columns

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def index(self) -> dict[str, int]:
        """From user id to row."""
        return {identifier: row for row, identifier in enumerate(self.ids)}

    @classmethod
    def from_dataset(cls, dataset: "Dataset") -> "Profiles":
        """The profiles of `dataset`."""
        table, schema = dataset.users, dataset.schema.users
        ids = table.column("id").to_pylist()
        if schema is None:
            return cls(ids, Columns({}, {}, {}))
        return cls(ids, Columns.from_table(table, schema.categories, schema.tags, schema.numerics))

    def of(self, row: int) -> UserProfile:
        """The profile of user number `row`."""
        return UserProfile(
            self.ids[row],
            {name: column.values[column.codes[row]] for name, column in self.columns.categories.items()},
            {name: column.of(row) for name, column in self.columns.tags.items()},
            {name: float(column[row]) for name, column in self.columns.numerics.items()},
        )

    def save(self, directory: Path) -> None:
        """Write `profiles.json` and one `.npy` file per column."""
        directory.mkdir(parents=True, exist_ok=True)
        document = {"ids": self.ids, "columns": self.columns.save(directory)}
        (directory / "profiles.json").write_bytes(orjson.dumps(document))

    @classmethod
    def load(cls, directory: Path) -> "Profiles":
        """Read what `save` wrote.

        Raises:
            BundleError: a file is absent or damaged.
        """
        try:
            document = orjson.loads((directory / "profiles.json").read_bytes())
            return cls(document["ids"], Columns.load(directory, document["columns"]))
        except (OSError, ValueError, KeyError) as error:
            raise BundleError(
                f"the profiles in {directory} cannot be read ({error}); publish the bundle again"
            ) from None
