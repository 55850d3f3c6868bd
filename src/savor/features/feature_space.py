"""Every input of the towers, defined once: the same NumPy code makes them in training and in serving."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from savor.core.errors import BundleError, ConfigError
from savor.data.histories import Histories, History
from savor.features.behaviour import Behaviour, session_share
from savor.features.catalogue import Catalogue
from savor.features.columns import Columns, extended
from savor.features.history_window import known_until
from savor.features.images.vectors import ImageVectors
from savor.features.input_spec import InputSpec
from savor.features.moment import WIDTH, moment_features
from savor.features.options import FeatureOptions
from savor.features.profiles import Profiles, UserProfile
from savor.features.rows import take_rows
from savor.features.searches import Searches, SearchHistory, search_input
from savor.features.table_encoder import Inputs, TableEncoder
from savor.features.text.vectors import TextVectors

if TYPE_CHECKING:
    from savor.data.events import Events

FORMAT_VERSION = 2
PRICE, SALES, RECENT_SALES = "\0price", "\0sales", "\0recent sales"
"""Names of computed numeric columns of items; no column of a file can have these names."""

LEAST_SESSIONS = 0.02
"""The session is an input where at least this share of the occasions that are learnt from fall into one."""

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
        images: vectors of the items' pictures; None where there are none.
        reviews: mean text vectors of what was written about the items; None where nothing was.
        liked: kinds of events that say that somebody likes an item; none: all.
        session: whether the session is an input.
        search: name of the text encoder of searches and width of its vectors; None where searches are no input.
        searches: of the users in the table, at any moment; not part of a saved space. None for none.
    """

    options: FeatureOptions
    users: TableEncoder
    items: TableEncoder
    history_category: str | None
    user_table: Inputs
    item_table: Inputs
    sales: NDArray[np.float32]
    text: TextVectors | None
    images: ImageVectors | None = None
    reviews: TextVectors | None = None
    liked: tuple[int, ...] = ()
    session: bool = False
    search: tuple[str, int] | None = None
    searches: Searches | None = None

    @classmethod
    def fit(
        cls,
        events: "Events",
        catalogue: Catalogue,
        profiles: Profiles,
        options: FeatureOptions,
        text: TextVectors | None = None,
        *,
        images: ImageVectors | None = None,
        reviews: TextVectors | None = None,
        searches: Searches | None = None,
        kinds: Sequence[str] = (),
    ) -> "FeatureSpace":
        """Fit on what is known.

        Args:
            events: only those from before the cut. Ids get a code of their own, and values and numbers are fitted, from
                the items and users that occur in them; all others are encoded as never seen.
            catalogue: all items, also those without events.
            profiles: all users, also those without events.
            options: what to make.
            text: vectors of all items; None for none.
            images: likewise, of pictures.
            reviews: likewise, of what was written about them before the cut.
            searches: of all users at any moment; what an input knows of them ends before its `now`.
            kinds: names of the kinds of events by number.

        Raises:
            ConfigError: `options` name what is not there, or leave a tower without inputs.
        """
        if unknown := sorted(set(options.liked_kinds) - set(kinds)):
            raise ConfigError([f"features.liked_kinds: there are no events of kind {unknown}, only {list(kinds)}"])
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
            profiles.columns if options.profile else Columns({}, {}, {}),
            np.flatnonzero(user_count),
            id_buckets=options.id_buckets,
            value_buckets=options.value_buckets,
            maximum_tags=options.maximum_tags,
        )
        session = options.session and session_share(Histories.from_events(events, len(profiles))) >= LEAST_SESSIONS
        space = cls(
            options,
            users,
            items,
            _history_category(catalogue, options),
            users.encode(profiles.ids, profiles.columns),
            items.encode(catalogue.ids, item_columns),
            sales,
            text if options.text else None,
            images if options.images or options.visual_preference else None,
            reviews if options.reviews else None,
            tuple(list(kinds).index(kind) for kind in options.liked_kinds),
            session,
            (searches.encoder, searches.width) if options.search and searches is not None else None,
            searches if options.search else None,
        )
        for side, signature in (("user", space.user_signature), ("item", space.item_signature)):
            if not signature:
                raise ConfigError([f"features: every input of the {side} tower is switched off"])
        return space

    def with_catalogue(
        self,
        catalogue: Catalogue,
        text: TextVectors | None,
        *,
        images: ImageVectors | None = None,
        reviews: TextVectors | None = None,
    ) -> "FeatureSpace":
        """The same encoders over a longer item table: items added at its end are encoded as never seen or sold."""
        pairs = {"text": (text, self.text), "images": (images, self.images), "reviews": (reviews, self.reviews)}
        for name, (given, fitted) in pairs.items():
            if (given is None) != (fitted is None):
                raise ValueError(f"{name} vectors must be given exactly where the space was fitted with {name}")
        sales = np.zeros((len(catalogue), 2), np.float32)
        sales[: len(self.sales)] = self.sales[: len(catalogue)]
        table = self.items.encode(catalogue.ids, _item_columns(catalogue, sales, self.options))
        return replace(self, item_table=table, sales=sales, text=text, images=images, reviews=reviews)

    def with_items(self, catalogue: Catalogue, changed: NDArray[np.int32]) -> "FeatureSpace":
        """The same encoders over a longer item table.

        Args:
            catalogue: all items; those at its end were never sold.
            changed: (C,) rows that are encoded anew, among them all at the end.
        """
        number = len(catalogue)
        sales = extended(self.sales, number, 0)
        chosen = replace(
            catalogue,
            ids=[catalogue.ids[row] for row in changed.tolist()],
            price=catalogue.price[changed],
            **catalogue.columns.take(changed)._asdict(),
        )
        encoded = self.items.encode(chosen.ids, _item_columns(chosen, sales[changed], self.options))
        table = {name: extended(column, number, 0) for name, column in self.item_table.items()}
        for name, column in encoded.items():
            table[name][changed] = column
        return replace(self, item_table=table, sales=sales)

    @property
    def number_of_items(self) -> int:
        """Rows of the encoded item table."""
        return len(self.item_table["item_id"])

    @cached_property
    def behaviour(self) -> Behaviour:
        """Makes the inputs that come from events."""
        categories = None
        if self.history_category is not None:
            spec = self.items.signature()[self.history_category]
            categories = self.item_table[self.history_category], spec.cardinality or 0, spec.column
        return Behaviour(
            self.options,
            (self.item_table["item_id"], self.items.ids.cardinality),
            categories,
            self.session,
            self.images if self.options.visual_preference else None,
            self.liked,
        )

    @cached_property
    def user_signature(self) -> dict[str, InputSpec]:
        """The user tower's inputs, in a fixed order."""
        signature = self.users.signature()
        if not self.options.user_id:
            del signature["user_id"]
        signature |= self.behaviour.signature
        if self.search is not None:
            signature["search_text"] = InputSpec("float32", (self.search[1],), "text")
        if self.options.moment:
            signature["moment"] = InputSpec("float32", (WIDTH,), "moment")
        return signature

    @cached_property
    def item_signature(self) -> dict[str, InputSpec]:
        """The item tower's inputs, in a fixed order."""
        signature = self.items.signature()
        if not self.options.item_id:
            del signature["item_id"]
        if self.text is not None:
            signature["item_text"] = InputSpec("float32", (self.text.width,), "text")
        if self.reviews is not None:
            signature["item_reviews"] = InputSpec("float32", (self.reviews.width,), "text")
        if self.images is not None and self.options.images:
            signature["item_image"] = InputSpec("float32", (self.images.width,), "image")
            signature["item_image_known"] = InputSpec("float32", (1,), "numeric")
        return signature

    def item_inputs(self, items: NDArray[np.int32]) -> Inputs:
        """Inputs of B items, by name as in `item_signature`; rows outside the table are unknown in every input."""
        inputs = _rows(self.item_table, items)
        if not self.options.item_id:
            del inputs["item_id"]
        if self.text is not None:
            inputs["item_text"] = self.text.of(items)
        if self.reviews is not None:
            inputs["item_reviews"] = self.reviews.of(items)
        if self.images is not None and self.options.images:
            inputs["item_image"] = self.images.of(items)
            inputs["item_image_known"] = self.images.known(items)
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
            now: (B,) int64 UTC seconds. Searches count strictly before it.
            ends: (B,) positions in `histories` where what is known ends, as `known_until` gives them; None for all up
                to and including `now`.
        """
        if ends is None:
            ends = known_until(histories, users, now)
        inputs = _rows(self.user_table, users)
        inputs |= self.behaviour.inputs(users, histories, now, ends)
        if self.search is not None:
            if self.searches is None:
                inputs["search_text"] = np.zeros((len(users), self.search[1]), np.float32)
            else:
                inputs["search_text"] = self.searches.mean(users, now, self.options.search_count)
        return self._finished(inputs, now)

    def user_input(
        self,
        history: History,
        profile: UserProfile,
        now: int,
        searches: SearchHistory | None = None,
        search: NDArray[np.float32] | None = None,
    ) -> Inputs:
        """Inputs of one user (B = 1), who need not be in the user table.

        Args:
            history: what they did; events after `now` are not looked at.
            profile: what is known of them apart from that.
            now: UTC seconds.
            searches: what they searched for; what is not strictly before `now` is not looked at. None for nothing.
            search: (W,) vector of what they search for at this moment; None for nothing.
        """
        moment = np.asarray([now], np.int64)
        inputs = self.users.encode_profile(profile)
        inputs |= self.behaviour.inputs_of_one(history, now)
        if self.search is not None:
            inputs["search_text"] = search_input(
                searches or SearchHistory.empty(), now, self.options.search_count, self.search[1], search
            )
        return self._finished(inputs, moment)

    def _finished(self, inputs: Inputs, now: NDArray[np.int64]) -> Inputs:
        if not self.options.user_id:
            del inputs["user_id"]
        if self.options.moment:
            inputs["moment"] = moment_features(now)
        return inputs

    def save(self, directory: Path) -> None:
        """Write `feature_space.json` and one `.npy` file per input of the encoded tables."""
        directory.mkdir(parents=True, exist_ok=True)
        for table in (self.user_table, self.item_table):
            for name, column in table.items():
                np.save(directory / f"{name}.npy", column)
        np.save(directory / "sales.npy", self.sales)
        contents = {"text": self.text, "image": self.images, "review": self.reviews}
        for name, vectors in contents.items():
            if vectors is not None:
                vectors.save(directory, name)
        document = {
            "format_version": FORMAT_VERSION,
            "options": self.options.model_dump(mode="json"),
            "users": self.users.to_json(),
            "items": self.items.to_json(),
            "history_category": self.history_category,
            "user_table": list(self.user_table),
            "item_table": list(self.item_table),
            "contents": [name for name, vectors in contents.items() if vectors is not None],
            "liked": list(self.liked),
            "session": self.session,
            "search": self.search,
        }
        (directory / "feature_space.json").write_bytes(orjson.dumps(document))

    @classmethod
    def load(cls, directory: Path) -> "FeatureSpace":
        """Read what `save` wrote; vectors of texts and pictures are mapped, not read.

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
            contents = document["contents"]
            return cls(
                FeatureOptions.model_validate(document["options"]),
                TableEncoder.from_json(document["users"]),
                TableEncoder.from_json(document["items"]),
                document["history_category"],
                {name: array(name) for name in document["user_table"]},
                {name: array(name) for name in document["item_table"]},
                array("sales"),
                TextVectors.load(directory, "text") if "text" in contents else None,
                ImageVectors.load(directory, "image") if "image" in contents else None,
                TextVectors.load(directory, "review") if "review" in contents else None,
                tuple(document["liked"]),
                document["session"],
                tuple(document["search"]) if document["search"] else None,
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
    if not options.attributes:
        computed = {name: numerics[name] for name in (PRICE, SALES, RECENT_SALES) if name in numerics}
        return Columns({}, {}, computed)
    return catalogue.columns._replace(numerics=numerics)


def _history_category(catalogue: Catalogue, options: FeatureOptions) -> str | None:
    """The input name of the item category shown in histories."""
    names = list(catalogue.categories) if options.attributes else []
    if options.history_category is None:
        return f"item_category_{len(names) - 1}" if names else None
    if options.history_category not in names:
        raise ValueError(f"history_category {options.history_category!r} is none of the item categories {names}")
    return f"item_category_{names.index(options.history_category)}"


def _rows(table: Inputs, rows: NDArray[np.int32]) -> Inputs:
    """The encoded rows of a table; a row outside it is unknown, which for a number is 0 with its flag set."""
    inputs = {name: take_rows(column, rows) for name, column in table.items()}
    for name in inputs:
        if name.endswith("_numeric"):
            outside = (rows < 0) | (rows >= len(table[name]))
            inputs[name][outside, 1::2] = 1
    return inputs
