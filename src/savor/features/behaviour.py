"""The inputs of the user tower that come from what users did."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import Histories, History
from savor.features.history_window import AGE_BUCKETS, age_bucket, last_positions
from savor.features.images.vectors import ImageVectors
from savor.features.input_spec import InputSpec
from savor.features.options import FeatureOptions
from savor.features.rows import take_rows
from savor.features.searches import mean_vectors
from savor.features.table_encoder import Inputs

_EVENT_COLUMNS = tuple(field.name for field in fields(History))

LONGEST_AGE = 2**31 - 2
"""Seconds, about 68 years: older events are taken for this old where an input is in seconds."""

SESSION_GAP = 1800
"""A session ends with the first pause of more than so many seconds, unless the basket goes on."""

BEHAVIOUR = (
    "history_item",
    "history_category",
    "history_age",
    "history_seconds",
    "session_item",
    "session_category",
    "visual_preference",
    "visual_preference_known",
    "search_text",
)
"""The names of all such inputs; every one of them is all zeros for a newcomer."""


@dataclass(frozen=True)
class Behaviour:
    """Makes `history_*`, `session_*` and `visual_preference*`; the same code for a batch and for one user online.

    Attributes:
        options: lengths, and which inputs are wanted.
        item_codes: (I,) int32 id codes of the items, and how many codes there are.
        categories: the codes of the category seen beside each item, how many there are, and its column; None for none.
        session: whether the session is an input.
        images: vectors of the items' pictures; None where visual preference is no input.
        liked: the kinds of events that say that somebody likes an item; none: all.
    """

    options: FeatureOptions
    item_codes: tuple[NDArray[np.int32], int]
    categories: tuple[NDArray[np.int32], int, str] | None
    session: bool
    images: ImageVectors | None
    liked: Sequence[int]

    @property
    def signature(self) -> dict[str, InputSpec]:
        """The inputs this gives, in a fixed order."""
        found: dict[str, InputSpec] = {}
        lengths = {
            "history": self.options.history_length if self.options.history else 0,
            "session": self.options.session_length if self.session else 0,
        }
        for what, length in lengths.items():
            if not length:
                continue
            found[f"{what}_item"] = InputSpec("int32", (length,), f"{what}_item", self.item_codes[1], "id")  # type: ignore[arg-type]
            if self.categories is not None:
                _, cardinality, column = self.categories
                role: Any = f"{what}_category"
                found[f"{what}_category"] = InputSpec("int32", (length,), role, cardinality, column)
            if what == "history":
                found["history_age"] = InputSpec("int32", (length,), "history_age", AGE_BUCKETS)
                if self.options.history_seconds:
                    found["history_seconds"] = InputSpec("int32", (length,), "history_seconds", LONGEST_AGE + 1)
        if self.images is not None:
            found["visual_preference"] = InputSpec("float32", (self.images.width,), "image")
            found["visual_preference_known"] = InputSpec("float32", (1,), "numeric")
        return found

    def inputs(
        self, users: NDArray[np.int32], histories: Histories, now: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> Inputs:
        """Inputs of B users at B moments.

        Args:
            users: (B,) rows of `histories`.
            histories: what they did.
            now: (B,) UTC seconds.
            ends: (B,) positions in `histories` where what is known ends; nothing from there on is looked at.
        """
        found: Inputs = {}
        if self.options.history:
            position = last_positions(histories, users, ends, self.options.history_length)
            found |= self._items("history", position, histories)
            age = now[:, None] - _at(histories.time, position)
            found["history_age"] = np.where(position >= 0, age_bucket(age), 0).astype(np.int32)
            if self.options.history_seconds:
                seconds = np.where(position >= 0, np.clip(age, 0, LONGEST_AGE), 0)
                found["history_seconds"] = seconds.astype(np.int32)
        if self.session:
            position = last_positions(histories, users, ends, self.options.session_length)
            found |= self._items("session", np.where(in_session(histories, position, now), position, -1), histories)
        if self.images is not None:
            found |= self._visual(users, histories, ends)
        return found

    def inputs_of_one(self, history: History, now: int) -> Inputs:
        """What `inputs` gives for one user (B = 1), in a fraction of the time.

        Args:
            history: what they did; what is after `now` is not looked at.
            now: UTC seconds.
        """
        from savor.features.behaviour_kernel import last_events

        end = int(np.searchsorted(history.time, now, "right"))
        items, categories, ages, session_items, session_categories = last_events(
            np.ascontiguousarray(history.item, np.int32),
            np.ascontiguousarray(history.time, np.int64),
            np.ascontiguousarray(history.basket, np.int64),
            end,
            now,
            self.options.history_length if self.options.history else 0,
            self.options.session_length if self.session else 0,
            SESSION_GAP,
            self._codes[0],
            self._codes[1],
        )
        found: Inputs = {}
        if self.options.history:
            found["history_item"] = items
            if self.categories is not None:
                found["history_category"] = categories
            found["history_age"] = np.where(ages >= 0, age_bucket(ages), 0).astype(np.int32)
            if self.options.history_seconds:
                found["history_seconds"] = np.clip(ages, 0, LONGEST_AGE).astype(np.int32)
        if self.session:
            found["session_item"] = session_items
            if self.categories is not None:
                found["session_category"] = session_categories
        if self.images is not None:
            alone = Histories(
                np.asarray([0, len(history)]), **{name: getattr(history, name) for name in _EVENT_COLUMNS}
            )
            found |= self._visual(np.zeros(1, np.int32), alone, np.asarray([end], np.int64))
        return found

    @cached_property
    def _codes(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Codes of items and of their categories, as the compiled function wants them."""
        categories = np.empty(0, np.int32) if self.categories is None else self.categories[0]
        return np.ascontiguousarray(self.item_codes[0], np.int32), np.ascontiguousarray(categories, np.int32)

    def _visual(self, users: NDArray[np.int32], histories: Histories, ends: NDArray[np.int64]) -> Inputs:
        assert self.images is not None
        position = self._liked(users, histories, ends)
        rows = np.where(position >= 0, self.images.rows(_at(histories.item, position)), 0)
        share = (rows > 0).sum(axis=1) / np.float32(self.options.visual_items)
        return {
            "visual_preference": mean_vectors(self.images.vectors, np.where(rows > 0, rows, -1)),
            "visual_preference_known": share.astype(np.float32)[:, None],
        }

    def _items(self, what: str, position: NDArray[np.int64], histories: Histories) -> Inputs:
        item = np.where(position >= 0, _at(histories.item, position), -1)
        found: Inputs = {f"{what}_item": take_rows(self.item_codes[0], item)}
        if self.categories is not None:
            found[f"{what}_category"] = take_rows(self.categories[0], item)
        return found

    def _liked(self, users: NDArray[np.int32], histories: Histories, ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """(B, `visual_items`) positions of each user's last liked events before `ends`, newest first, then -1."""
        length, minimum = self.options.visual_items, self.options.liked_minimum
        if not self.liked and minimum is None:
            return last_positions(histories, users, ends, length)
        liked = np.ones(len(histories.item), np.bool_)
        if self.liked:
            liked &= np.isin(histories.kind, np.asarray(self.liked))
        if minimum is not None:
            liked &= histories.value >= minimum
        positions = np.flatnonzero(liked)
        inside = (users >= 0) & (users < len(histories))
        start = histories.indptr[np.where(inside, users, 0)] if len(histories) else np.zeros(len(users), np.int64)
        first = np.searchsorted(positions, np.where(inside, start, ends))
        place = np.searchsorted(positions, ends)[:, None] - 1 - np.arange(length)
        place = np.where(place >= first[:, None], place, -1)
        return np.where(place >= 0, _at(positions, place), -1)


def in_session(histories: Histories, position: NDArray[np.int64], now: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(B, L) bool: which of the last events belong to the session that goes on at `now`.

    It reaches back over events of one basket, and over pauses of at most `SESSION_GAP`, also the one before `now`.

    Args:
        histories: what the users did.
        position: (B, L) positions in `histories`, newest first, -1 where there is none.
        now: (B,) UTC seconds.
    """
    time, basket = _at(histories.time, position), _at(histories.basket, position)
    linked = position >= 0
    linked[:, 0] &= now - time[:, 0] <= SESSION_GAP
    near = time[:, :-1] - time[:, 1:] <= SESSION_GAP
    linked[:, 1:] &= near | ((basket[:, :-1] == basket[:, 1:]) & (basket[:, 1:] >= 0))
    return np.logical_and.accumulate(linked, axis=1)


def session_share(histories: Histories) -> float:
    """Share of the occasions (baskets, or events without one) before which their user was active in the session."""
    user = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    start = np.ones(len(user), np.bool_)
    same = (user[1:] == user[:-1]) & (histories.basket[1:] == histories.basket[:-1]) & (histories.basket[1:] >= 0)
    start[1:] = ~same
    rows = np.flatnonzero(start)
    if not len(rows):
        return 0.0
    later = np.zeros(len(user), np.bool_)
    later[1:] = (user[1:] != user[:-1]) | (histories.time[1:] != histories.time[:-1])
    moment = np.cumsum(later)
    firsts = np.flatnonzero(np.r_[True, later[1:]])
    pause = np.full(len(firsts), np.iinfo(np.int64).max)
    followed = user[firsts[1:]] == user[firsts[:-1]]
    pause[1:][followed] = np.diff(histories.time[firsts])[followed]
    return float((pause[moment[rows]] <= SESSION_GAP).mean())


def _at(column: NDArray[Any], position: NDArray[Any]) -> NDArray[Any]:
    """`column[position]`; anything where the position is -1, and 0 where the column is empty."""
    return column[position] if len(column) else np.zeros(position.shape, column.dtype)
