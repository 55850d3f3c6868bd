"""Every input of the towers, defined once: the same NumPy code makes them in training and in serving."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.core.errors import BundleError
from savor.data.histories import Histories, History
from savor.features.catalogue import Catalogue
from savor.features.columns import Columns
from savor.features.history_window import AGE_BUCKETS, age_bucket, known_until, last_positions
from savor.features.input_spec import InputSpec
from savor.features.moment import WIDTH, moment_features
from savor.features.options import FeatureOptions
from savor.features.profiles import Profiles, UserProfile
from savor.features.table_encoder import Inputs, TableEncoder
from savor.features.text.vectors import TextVectors

if TYPE_CHECKING:
    from savor.data.events import Events

FORMAT_VERSION = 1
PRICE, SALES, RECENT_SALES = "\0price", "\0sales", "\0recent sales"
"""Names of computed numeric columns of items; no column of a file can have these names."""

RECENT = 28 * 86_400
"""Recent sales are those of the last so many seconds of what is known."""


@dataclass(frozen=True)
class FeatureSpace:
    """Fitted encoders, and the encoded item and user tables.

    Attributes:
        options: what was asked for.
        users, items: the encoders of the two tables.
        history_category: name of the item input seen beside each item of a history; None where there is none.
        user_table, item_table: the encoded tables, one row per user and per item.
        sales: (I, 2) float32, events of each item in all and recently, when the space was fitted.
        text: text vectors of the items; None where there is no text.
    """

    options: FeatureOptions
    users: TableEncoder
    items: TableEncoder
    history_category: str | None
    user_table: Inputs
    item_table: Inputs
    sales: NDArray[np.float32]
    text: TextVectors | None

    @classmethod
    def fit(
        cls,
        events: "Events",
        catalogue: Catalogue,
        profiles: Profiles,
        options: FeatureOptions,
        text: TextVectors | None = None,
    ) -> "FeatureSpace":
        """Fit on what is known.

        Args:
            events: only those from before the cut. Ids get a code of their own, and values and numbers are fitted, from
                the items and users that occur in them; all others are encoded as never seen.
            catalogue: all items, also those without events.
            profiles: all users, also those without events.
            options: what to make.
            text: vectors of all items; None for none.
        """
        item_count = np.bincount(events.item, minlength=len(catalogue))
        user_count = np.bincount(events.user, minlength=len(profiles))
        recent = events.item[events.time > events.time[-1:].max(initial=0) - RECENT]
        recent_count = np.bincount(recent, minlength=len(catalogue))
        sales = np.stack([item_count, recent_count], axis=1).astype(np.float32)
        item_columns = _item_columns(catalogue, sales, options)
        items = TableEncoder.fit(
            "item",
            (catalogue.ids[row] for row in np.flatnonzero(item_count >= options.minimum_count)),
            item_columns,
            np.flatnonzero(item_count),
            id_buckets=options.id_buckets,
            value_buckets=options.value_buckets,
            maximum_tags=options.maximum_tags,
        )
        users = TableEncoder.fit(
            "user",
            (profiles.ids[row] for row in np.flatnonzero(user_count)) if options.user_id else (),
            profiles.columns,
            np.flatnonzero(user_count),
            id_buckets=options.id_buckets,
            value_buckets=options.value_buckets,
            maximum_tags=options.maximum_tags,
        )
        return cls(
            options,
            users,
            items,
            _history_category(catalogue, options),
            users.encode(profiles.ids, profiles.columns),
            items.encode(catalogue.ids, item_columns),
            sales,
            text,
        )

    def with_catalogue(self, catalogue: Catalogue, text: TextVectors | None) -> "FeatureSpace":
        """The same encoders over a longer item table: items added at its end are encoded as never seen or sold."""
        if (text is None) != (self.text is None):
            raise ValueError("text vectors must be given exactly where the space was fitted with text")
        sales = np.zeros((len(catalogue), 2), np.float32)
        sales[: len(self.sales)] = self.sales[: len(catalogue)]
        table = self.items.encode(catalogue.ids, _item_columns(catalogue, sales, self.options))
        return replace(self, item_table=table, sales=sales, text=text)

    @property
    def number_of_items(self) -> int:
        """Rows of the encoded item table."""
        return len(self.item_table["item_id"])

    @cached_property
    def user_signature(self) -> dict[str, InputSpec]:
        """The user tower's inputs, in a fixed order."""
        length = (self.options.history_length,)
        signature = self.users.signature()
        if not self.options.user_id:
            del signature["user_id"]
        signature["history_item"] = InputSpec("int32", length, "history_item", self.items.ids.cardinality, "id")
        if self.history_category is not None:
            category = self.items.signature()[self.history_category]
            signature["history_category"] = InputSpec(
                "int32", length, "history_category", category.cardinality, category.column
            )
        signature["history_age"] = InputSpec("int32", length, "history_age", AGE_BUCKETS)
        if self.options.moment:
            signature["moment"] = InputSpec("float32", (WIDTH,), "moment")
        return signature

    @cached_property
    def item_signature(self) -> dict[str, InputSpec]:
        """The item tower's inputs, in a fixed order."""
        signature = self.items.signature()
        if self.text is not None:
            signature["item_text"] = InputSpec("float32", (self.text.width,), "text")
        return signature

    def item_inputs(self, items: NDArray[np.int32]) -> Inputs:
        """Inputs of B items, by name as in `item_signature`; rows outside the table are unknown in every input."""
        inputs = _rows(self.item_table, items)
        if self.text is not None:
            inputs["item_text"] = self.text.of(items)
        return inputs

    def user_inputs(
        self,
        users: NDArray[np.int32],
        histories: Histories,
        now: NDArray[np.int64],
        ends: NDArray[np.int64] | None = None,
    ) -> Inputs:
        """Inputs of B users at B moments, by name as in `user_signature`.

        Args:
            users: (B,) int32 rows of the user table and of `histories`.
            histories: what the users did; events after `now` are not looked at.
            now: (B,) int64 UTC seconds.
            ends: (B,) positions in `histories` where what is known ends, as `known_until` gives them; None for all up
                to and including `now`.
        """
        if ends is None:
            ends = known_until(histories, users, now)
        table = _rows(self.user_table, users)
        return self._user_inputs(table, last_positions(histories, users, ends, self._length), histories, now)

    def user_input(self, history: History, profile: UserProfile, now: int) -> Inputs:
        """Inputs of one user (B = 1), who need not be in the user table."""
        moment = np.asarray([now], np.int64)
        end = np.searchsorted(history.time, moment, "right")
        position = end[:, None] - 1 - np.arange(self._length)
        table = self.users.encode([profile.id], Profiles.of_one(profile).columns)
        return self._user_inputs(table, np.where(position >= 0, position, -1), history, moment)

    @property
    def _length(self) -> int:
        return self.options.history_length

    def _user_inputs(
        self, table: Inputs, position: NDArray[np.int64], events: Histories | History, now: NDArray[np.int64]
    ) -> Inputs:
        """Add to the encoded table rows what comes from events: `position` (B, L), -1 where there is none."""
        if not self.options.user_id:
            del table["user_id"]
        present = position >= 0
        if len(events.item):
            item = np.where(present, events.item[position], -1)
            age = np.where(present, age_bucket(now[:, None] - events.time[position]), 0)
        else:
            item, age = np.full(position.shape, -1), np.zeros(position.shape)
        table["history_item"] = _take(self.item_table["item_id"], item)
        if self.history_category is not None:
            table["history_category"] = _take(self.item_table[self.history_category], item)
        table["history_age"] = age.astype(np.int32)
        if self.options.moment:
            table["moment"] = moment_features(now)
        return table

    def save(self, directory: Path) -> None:
        """Write `feature_space.json` and one `.npy` file per input of the encoded tables."""
        directory.mkdir(parents=True, exist_ok=True)
        for table in (self.user_table, self.item_table):
            for name, column in table.items():
                np.save(directory / f"{name}.npy", column)
        np.save(directory / "sales.npy", self.sales)
        if self.text is not None:
            self.text.save(directory)
        document = {
            "format_version": FORMAT_VERSION,
            "options": self.options.model_dump(mode="json"),
            "users": self.users.to_json(),
            "items": self.items.to_json(),
            "history_category": self.history_category,
            "user_table": list(self.user_table),
            "item_table": list(self.item_table),
            "text": self.text is not None,
        }
        (directory / "feature_space.json").write_bytes(orjson.dumps(document))

    @classmethod
    def load(cls, directory: Path) -> "FeatureSpace":
        """Read what `save` wrote; text vectors are mapped, not read.

        Raises:
            BundleError: a file is absent, damaged, or of another format version.
        """

        def array(name: str) -> Any:
            return np.load(directory / f"{name}.npy", allow_pickle=False)

        try:
            document = orjson.loads((directory / "feature_space.json").read_bytes())
            if document["format_version"] != FORMAT_VERSION:
                raise BundleError(
                    f"{directory} has feature space format {document['format_version']}, not {FORMAT_VERSION}"
                )
            return cls(
                FeatureOptions.model_validate(document["options"]),
                TableEncoder.from_json(document["users"]),
                TableEncoder.from_json(document["items"]),
                document["history_category"],
                {name: array(name) for name in document["user_table"]},
                {name: array(name) for name in document["item_table"]},
                array("sales"),
                TextVectors.load(directory) if document["text"] else None,
            )
        except (OSError, ValueError, KeyError) as error:
            raise BundleError(
                f"the feature space in {directory} cannot be read ({error}); publish the bundle again"
            ) from None


def _item_columns(catalogue: Catalogue, sales: NDArray[np.float32], options: FeatureOptions) -> Columns:
    """The declared columns and the computed ones."""
    numerics = dict(catalogue.numerics)
    if options.price:
        numerics[PRICE] = catalogue.price
    if options.popularity:
        numerics |= {SALES: sales[:, 0], RECENT_SALES: sales[:, 1]}
    return catalogue.columns._replace(numerics=numerics)


def _history_category(catalogue: Catalogue, options: FeatureOptions) -> str | None:
    """The input name of the item category shown in histories."""
    names = list(catalogue.categories)
    if options.history_category is None:
        return f"item_category_{len(names) - 1}" if names else None
    if options.history_category not in names:
        raise ValueError(f"history_category {options.history_category!r} is none of the item categories {names}")
    return f"item_category_{names.index(options.history_category)}"


def _take(column: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """`column[rows]`, and 0 for rows outside it (a tag or numeric column: a row of zeros)."""
    inside = (rows >= 0) & (rows < len(column))
    if len(column) == 0:
        return np.zeros((*rows.shape, *column.shape[1:]), column.dtype)
    taken = column[np.where(inside, rows, 0)]
    taken[~inside] = 0
    return taken


def _rows(table: Inputs, rows: NDArray[np.int32]) -> Inputs:
    """The encoded rows of a table; a row outside it is unknown, which for a number is 0 with its flag set."""
    inputs = {name: _take(column, rows) for name, column in table.items()}
    for name in inputs:
        if name.endswith("_numeric"):
            outside = (rows < 0) | (rows >= len(table[name]))
            inputs[name][outside, 1::2] = 1
    return inputs
