"""The inputs of the model, made as `features.json` says."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor_edge.catalogue import EdgeCatalogue
from savor_edge.codes import Codes
from savor_edge.errors import EdgeError
from savor_edge.history import NOWHERE, Deed, History
from savor_edge.own_items import OwnItemsRule

FORMAT_VERSION = 1
DOCUMENT = "features.json"
HOUR, DAY, WEEK = 3600, 86_400, 7 * 86_400
_BUCKETS = HOUR * (2 ** np.arange(40, dtype=np.int64) - 1)
"""Bucket 1 + k of ages begins at so many seconds."""

Profile = Mapping[str, Any]
"""What is known of a person by column: texts, lists of texts and numbers."""


class Person(NamedTuple):
    """Whom inputs are made for: who, what they said of themselves, what they did, and the moment (UTC seconds)."""

    user_id: str
    profile: Profile
    history: History
    now: int


Maker = Callable[[Person], NDArray[Any]]


@dataclass(frozen=True)
class EventRules:
    """Which events count, and how to speak of them.

    Attributes:
        kinds: that the model was trained on, with their numbers.
        not_interest: of the others, those that do not say that somebody is interested in the item.
        present, past: "buy" and "bought".
    """

    kinds: Mapping[str, int]
    not_interest: frozenset[str]
    present: str
    past: str

    def counts(self, kind: str) -> bool:
        """Whether events of this kind stand in the history that the model sees."""
        return kind in self.kinds or kind not in self.not_interest


@dataclass(frozen=True)
class InputShape:
    """dtype, and shape without the batch dimension."""

    dtype: str
    shape: tuple[int, ...]


class EdgeFeatures:
    """Makes inputs of a batch of one; the same numbers as the server's.

    Attributes:
        signature: dtype and shape of every input it makes.
        events: which events count.
        own_items: how much one's own items are worth; None where nobody takes anything again.
        columns: of a profile that inputs are made of, with the kind of value each takes: `text`, `texts` or `number`.
        values: the texts that the model knows of a column, for those who ask a person.
    """

    def __init__(self, document: Mapping[str, Any], catalogue: EdgeCatalogue) -> None:
        self._catalogue = catalogue
        self._gap = int(document["session_gap"])
        rules = document["events"]
        wording = rules["wording"]
        self.events = EventRules(
            {kind: number for number, kind in enumerate(rules["kinds"])},
            frozenset(rules["not_interest"]),
            wording["present"],
            wording["past"],
        )
        own = document.get("own_items")
        self.own_items = None if own is None else OwnItemsRule.from_json(own)
        self.columns: dict[str, str] = {}
        self.values: dict[str, tuple[str, ...]] = {}
        self.signature: dict[str, InputShape] = {}
        self._makers: dict[str, Maker] = {}
        for name, entry in document["inputs"].items():
            shape = InputShape(entry["dtype"], tuple(entry["shape"]))
            self.signature[name] = shape
            self._makers[name] = self._maker(name, entry, shape)

    @classmethod
    def open(cls, folder: Path, catalogue: EdgeCatalogue | None = None) -> "EdgeFeatures":
        """Read `features.json`; `catalogue` is that of the same folder, read here where it is not given.

        Raises:
            EdgeError: it is absent, damaged, or of another format version.
        """
        catalogue = EdgeCatalogue.open(folder) if catalogue is None else catalogue
        try:
            document = json.loads((folder / DOCUMENT).read_bytes())
            if document["format_version"] != FORMAT_VERSION:
                raise EdgeError(
                    f"{folder / DOCUMENT} has format {document['format_version']}, and this version of savor-edge "
                    f"reads {FORMAT_VERSION}: update savor-edge",
                    code="edge_bundle_invalid",
                )
            return cls(document, catalogue)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EdgeError(
                f"the features in {folder} cannot be read ({type(error).__name__}: {error}); export or download them "
                "again",
                code="edge_bundle_invalid",
            ) from None

    def deed(self, event: Mapping[str, Any], time: int, baskets: dict[str, int]) -> Deed | None:
        """One event as the model sees it; None where it does not.

        Args:
            event: with `kind`, `item_id`, and maybe `basket_id`, `value` and `price`.
            time: when it happened, UTC seconds.
            baskets: numbers of the baskets of one person; new ones are added.
        """
        item, kind = self._catalogue.index.get(str(event.get("item_id"))), event["kind"]
        if item is None or not self.events.counts(kind):
            return None
        name = event.get("basket_id")
        basket = NOWHERE if name is None else baskets.setdefault(str(name), len(baskets))
        own = self.own_items is not None and kind in self.own_items.kinds
        value, price = event.get("value"), event.get("price")
        return Deed(
            item,
            time,
            basket,
            kind in self.events.kinds,
            own,
            self.events.kinds.get(kind, NOWHERE),
            1.0 if value is None else float(value),
            float("nan") if price is None else float(price),
        )

    def history(self, events: Iterable[Mapping[str, Any]]) -> History:
        """Those of one person's events that the model sees.

        Args:
            events: in the order recorded, each as `deed` takes it, with `time` in UTC seconds.
        """
        baskets: dict[str, int] = {}
        return History.of(
            deed for event in events if (deed := self.deed(event, int(event["time"]), baskets)) is not None
        )

    def inputs(
        self, history: History | Iterable[Mapping[str, Any]], profile: Profile, now: int, user_id: str = ""
    ) -> dict[str, NDArray[Any]]:
        """Every input by name, with a batch dimension of 1.

        Args:
            history: what the person did, or events as the method takes them; what is dated after `now` counts as of
                then.
            profile: what the person said of themselves, by column; None and absent are unknown.
            now: UTC seconds.
            user_id: looked at only where the bundle was exported with the ids of users.

        Raises:
            EdgeError: the profile holds a value of the wrong type (code `request_invalid`).
        """
        history = history if isinstance(history, History) else self.history(history)
        person = Person(user_id, profile, history.at(now), now)
        return {name: make(person)[None] for name, make in self._makers.items()}

    def _maker(self, name: str, entry: Mapping[str, Any], spec: InputShape) -> Maker:
        kind = entry["kind"]
        if kind == "constant":
            value = np.full(spec.shape, entry["value"], spec.dtype)
            return lambda _: value
        if kind == "user_id":
            codes = Codes.from_json(entry)
            return lambda person: np.asarray(codes.of(person.user_id), np.int32)
        if kind == "category":
            return self._category(entry)
        if kind == "tags":
            return self._tags(entry, spec.shape[0])
        if kind == "numeric":
            return self._numeric(entry)
        if kind == "moment":
            return lambda person: moment(person.now)
        what, _, part = kind.partition("_")
        if what in ("history", "session") and part in ("item", "category", "age", "seconds"):
            return self._behaviour(name, entry, spec.shape[0])
        raise EdgeError(
            f"input {name!r} is of kind {kind!r}, which this version of savor-edge does not know: update savor-edge",
            code="edge_bundle_invalid",
        )

    def _category(self, entry: Mapping[str, Any]) -> Maker:
        codes, column = Codes.from_json(entry), entry["column"]
        self.columns[column], self.values[column] = "text", codes.values
        return lambda person: np.asarray(codes.of(_text(column, person.profile.get(column))), np.int32)

    def _tags(self, entry: Mapping[str, Any], width: int) -> Maker:
        codes, column = Codes.from_json(entry), entry["column"]
        self.columns[column], self.values[column] = "texts", codes.values

        def make(person: Person) -> NDArray[np.int32]:
            given = person.profile.get(column) or ()
            if isinstance(given, str) or not isinstance(given, list | tuple | set | frozenset):
                raise _wrong(column, "a list of texts", given)
            texts = sorted({text for text in (_text(column, value) for value in given) if text})[:width]
            found = np.zeros(width, np.int32)
            found[: len(texts)] = [codes.of(text) for text in texts]
            return found

        return make

    def _numeric(self, entry: Mapping[str, Any]) -> Maker:
        columns, limit = entry["columns"], float(entry["limit"])
        for column in columns:
            self.columns[column["column"]] = "number"

        def make(person: Person) -> NDArray[np.float32]:
            found: list[float] = []
            for column in columns:
                name = column["column"]
                with np.errstate(over="ignore"):
                    value = np.float64(np.float32(_number(name, person.profile.get(name))))
                if not np.isfinite(value):
                    found += (0.0, 1.0)
                    continue
                value = np.log1p(np.maximum(value, 0.0)) if column["logarithm"] else value
                found += (float(np.clip((value - column["mean"]) / column["deviation"], -limit, limit)), 0.0)
            return np.asarray(found, np.float32)

        return make

    def _behaviour(self, name: str, entry: Mapping[str, Any], length: int) -> Maker:
        session, part = entry["kind"].startswith("session_"), entry["kind"].partition("_")[2]
        most = int(entry.get("most", 0))
        codes = {"item": self._catalogue.history_item, "category": self._catalogue.history_category}.get(part)
        if part in ("item", "category") and codes is None:
            raise KeyError(f"the catalogue has no history_{part}, which input {name!r} needs")

        def make(person: Person) -> NDArray[np.int32]:
            history = person.history
            known = _session(history, person.now, self._gap, length) if session else min(len(history.item), length)
            last = slice(len(history.item) - known, None)
            found = np.zeros(length, np.int32)
            if codes is not None:
                found[:known] = codes[history.item[last]][::-1]
            else:
                age = np.maximum(person.now - history.time[last], 0)[::-1]
                found[:known] = age_bucket(age, most) if part == "age" else np.minimum(age, most)
            return found

        return make


def moment(now: int) -> NDArray[np.float32]:
    """(4,) float32: sine and cosine of the time of day, then of the time of the week, in UTC."""
    angle = np.asarray([now % DAY / DAY, now % WEEK / WEEK]) * (2 * np.pi)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1).reshape(4).astype(np.float32)


def age_bucket(age: NDArray[np.int64], most: int) -> NDArray[np.int32]:
    """Seconds (not negative) to 1 + floor(log2(1 + hours)), at most `most`; made without a logarithm."""
    return np.minimum(np.searchsorted(_BUCKETS, age, "right"), most).astype(np.int32)


def _session(history: History, now: int, gap: int, length: int) -> int:
    """How many of the last events belong to the session that goes on at `now`, at most `length`.

    It reaches back over events of one basket, and over pauses of at most `gap` seconds, also the one before `now`.
    """
    time, basket = history.time[::-1][:length], history.basket[::-1][:length]
    if not len(time) or now - time[0] > gap:
        return 0
    linked = (time[:-1] - time[1:] <= gap) | ((basket[:-1] == basket[1:]) & (basket[1:] >= 0))
    return 1 + int(np.logical_and.accumulate(linked).sum())


def _text(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _wrong(column, "a text", value)
    return str(value)


def _number(column: str, value: Any) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(column, "a number", value)
    return float(value)


def _wrong(column: str, expected: str, value: Any) -> EdgeError:
    return EdgeError(
        f"{column!r} of the profile takes {expected}, not {type(value).__name__}; give one, or None for unknown",
        code="request_invalid",
    )
