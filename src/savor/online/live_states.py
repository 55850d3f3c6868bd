"""What is known of each user at this moment: what the bundle brought, and what happened since."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import SavorError
from savor.data.histories import History
from savor.features.profiles import UserProfile
from savor.features.searches import SearchHistory
from savor.online.event_batch import EventBatch
from savor.online.live_feed import LiveFeed
from savor.online.moment import MICROSECONDS
from savor.online.user_states import UserState, UserStates

Encode = Callable[[list[str]], NDArray[np.float32]]
NOT_INTEREST = frozenset({"impression", "search", "dislike", "hide", "remove", "return", "unsave"})
"""Kinds of events that do not say that somebody is interested in the item."""

_REMEMBERED = 10_000
_SEARCHES = 50
_COLUMNS = tuple(field.name for field in fields(History))


class _Since(NamedTuple):
    """What one user did of late, and how much of it is `new` to the bundle: this as rows of the catalogue."""

    events: EventBatch
    new: int
    history: History
    interest: History
    search_time: NDArray[np.int64]
    search_text: list[str]


class LiveStates(UserStates):
    """The `UserStates` of a bundle with what happened since laid over it.

    An event counts where the bundle cannot know it: it happened after the end of the bundle's data, or it was received
    after the bundle was made. What was received has happened: an event that is dated later than its receipt, or than
    the moment that is asked about (where the clock shows the end of old data), counts as of then.

    Args:
        base: of the bundle.
        feed: what happens.
        items: from item id to row.
        kinds: names of the kinds of events the bundle was trained on, by number.
        data_end: UTC seconds of the last event the bundle was trained on.
        made: UTC seconds when the bundle was made.
        encode: makes vectors of what users search for; None where the bundle knows nothing of searches.
    """

    def __init__(
        self,
        base: UserStates,
        feed: LiveFeed,
        items: Mapping[str, int],
        kinds: Sequence[str],
        *,
        data_end: int,
        made: int,
        encode: Encode | None = None,
    ) -> None:
        super().__init__(base._histories, base._profiles, base._alias, base._searches)
        self._base, self._feed, self._items, self._kinds = base, feed, items, tuple(kinds)
        self._kind = {name: number for number, name in enumerate(kinds)}
        self._data_end, self._made = data_end, made
        self.encode = encode
        self._since_of: OrderedDict[str, _Since] = OrderedDict()
        self._vectors: OrderedDict[str, NDArray[np.float16]] = OrderedDict()

    def with_items(self, items: Mapping[str, int]) -> "LiveStates":
        """The same users over a catalogue in which items have these rows."""
        return LiveStates(
            self._base,
            self._feed,
            items,
            self._kinds,
            data_end=self._data_end,
            made=self._made,
            encode=self.encode,
        )

    def __contains__(self, user_id: str) -> bool:
        return self._known(self._feed.resolve(user_id))

    def history(self, user_id: str, now: int) -> History:
        """See UserStates."""
        user_id = self._feed.resolve(user_id)
        since, _ = self._since(user_id)
        return self._laid_over(user_id, now, since.history)

    def profile(self, user_id: str) -> UserProfile:
        """See UserStates; what was said of the user takes the place of what the bundle knows, column by column."""
        user_id = self._feed.resolve(user_id)
        self._feed.recent(user_id)
        return self._profile(user_id)

    def searches(self, user_id: str) -> SearchHistory:
        """See UserStates."""
        user_id = self._feed.resolve(user_id)
        since, _ = self._since(user_id)
        return self._searched(user_id, since)

    def at(self, user_id: str, now: int) -> UserState:
        """See UserStates."""
        user_id = self._feed.resolve(user_id)
        since, problem = self._since(user_id)
        history = self._laid_over(user_id, now, since.history)
        interest = history if since.interest is since.history else self._laid_over(user_id, now, since.interest)
        known = self._known(user_id, since)
        return UserState(history, self._profile(user_id), self._searched(user_id, since), known, interest, problem)

    def sample(self, limit: int, *, containing: str = "") -> list[tuple[str, int]]:
        """See UserStates; users who are known by what happened lately alone come first."""
        wanted = containing.casefold()
        lately = [
            name
            for name in self._feed.users()
            if wanted in name.casefold() and super(LiveStates, self)._row(name) is None
        ]
        most = limit if containing else max(limit // 5, 1)
        live = [(name, self._since(name)[0].new) for name in lately[: -most - 1 : -1] if self._known(name)]
        base = super().sample(limit, containing=containing)
        return [*live, *(one for one in base if self._hidden_until(one[0]) < 0 or self._known(one[0]))][:limit]

    def live_events(self, user_id: str) -> int:
        """How many of the user's recent events the bundle does not know, those about unknown items too."""
        return self._since(self._feed.resolve(user_id))[0].new

    def _known(self, user_id: str, since: _Since | None = None) -> bool:
        since = self._since(user_id)[0] if since is None else since
        if since.new:
            return True
        entity = self._feed.profile(user_id)
        if entity is not None:
            return entity.document is not None
        return self._row(user_id) is not None and not self._gone_from_bundle(user_id)

    def _hidden_until(self, user_id: str) -> int:
        """UTC microseconds up to which nothing the user did is looked at: they were erased or removed; -1 for never."""
        erased = self._feed.erased(user_id)
        entity = self._feed.profile(user_id)
        if entity is None or entity.document is not None:
            return erased
        return max(erased, (entity.changed + 1) * MICROSECONDS - 1)

    def _gone_from_bundle(self, user_id: str) -> bool:
        """Whether what the bundle knows of the user apart from events is from before they were erased or removed."""
        return self._hidden_until(user_id) // MICROSECONDS >= self._made

    def _profile(self, user_id: str) -> UserProfile:
        base = UserProfile(user_id) if self._gone_from_bundle(user_id) else super().profile(user_id)
        entity = self._feed.profile(user_id)
        if entity is None or not entity.document:
            return base
        said = entity.document
        columns = self._profiles.columns
        return UserProfile(
            base.id,
            {**base.categories, **{name: said[name] for name in columns.categories if name in said}},
            {**base.tags, **{name: said[name] or [] for name in columns.tags if name in said}},
            {**base.numerics, **{name: _number(said[name]) for name in columns.numerics if name in said}},
        )

    def _laid_over(self, user_id: str, now: int, live: History) -> History:
        base = super().history(user_id, now)
        hidden = self._hidden_until(user_id)
        if hidden >= 0:
            base = _part(base, base.time > hidden // MICROSECONDS)
        if not len(live):
            return base
        if live.time[-1] > now:
            live = History(
                **{name: getattr(live, name) for name in _COLUMNS if name != "time"}, time=np.minimum(live.time, now)
            )
        if not len(base):
            return live
        joined = {name: np.concatenate([getattr(base, name), getattr(live, name)]) for name in _COLUMNS}
        if live.time[0] < base.time[-1]:
            order = np.argsort(joined["time"], kind="stable")
            joined = {name: column[order] for name, column in joined.items()}
        return History(**joined)

    def _searched(self, user_id: str, since: _Since) -> SearchHistory:
        base = super().searches(user_id)
        hidden = self._hidden_until(user_id)
        if hidden >= 0 and len(base.time):
            kept = base.time > hidden // MICROSECONDS
            base = SearchHistory(base.time[kept], base.vectors[kept])
        if self.encode is None or not since.search_text:
            return base
        try:
            vectors = self._encoded(self.encode, since.search_text)
        except SavorError:
            return base  # the encoder is not there: the stage for what is searched for now says so
        if not len(base.time):
            return SearchHistory(since.search_time, vectors)
        time = np.concatenate([base.time, since.search_time])
        order = np.argsort(time, kind="stable")
        return SearchHistory(time[order], np.concatenate([base.vectors, vectors])[order])

    def _encoded(self, encode: Encode, texts: list[str]) -> NDArray[np.float16]:
        if new := [text for text in dict.fromkeys(texts) if text not in self._vectors]:
            self._vectors.update(zip(new, encode(new).astype(np.float16), strict=True))
        found = np.stack([self._vectors[text] for text in texts])
        while len(self._vectors) > _REMEMBERED:
            self._vectors.popitem(last=False)
        return found

    def _since(self, user_id: str) -> tuple[_Since, str]:
        recent = self._feed.recent(user_id)
        if not len(recent.events):
            return _NOTHING, recent.problem
        hidden = self._hidden_until(user_id)
        known = self._since_of.get(user_id)
        if known is not None and known.events is recent.events and hidden < 0:
            return known, recent.problem
        made = self._rows_of(recent.events, hidden)
        self._since_of[user_id] = made
        while len(self._since_of) > _REMEMBERED:
            self._since_of.popitem(last=False)
        return made, recent.problem

    def _rows_of(self, events: EventBatch, hidden: int) -> _Since:
        moment = np.minimum(events.time, events.received)
        time = moment // MICROSECONDS
        new = ((time > self._data_end) | (events.received // MICROSECONDS > self._made)) & (moment > hidden)
        kind = np.array([self._kind.get(name, len(self._kind)) for name in events.kind], np.int64)
        item = np.array([self._items.get(name, -1) if name else -1 for name in events.item_id], np.int64)
        wanted = new & (item >= 0) & ((kind < len(self._kind)) | [name not in NOT_INTEREST for name in events.kind])
        order = np.argsort(time, kind="stable")
        rows = order[wanted[order]]
        interest = History(
            item[rows].astype(np.int32),
            time[rows],
            np.minimum(kind[rows], 255).astype(np.uint8),
            np.where(np.isnan(events.value[rows]), 1, events.value[rows]).astype(np.float32),
            events.price[rows].astype(np.float32),
            np.array([_basket(events.basket_id[row]) for row in rows.tolist()], np.int64),
        )
        trained = kind[rows] < len(self._kind)
        searched = [row for row in order[new[order]].tolist() if events.search[row]][-_SEARCHES:]
        return _Since(
            events,
            int(new.sum()),
            interest if trained.all() else _part(interest, trained),
            interest,
            time[searched],
            [(events.search[row] or "").strip() for row in searched],
        )


def _part(history: History, kept: NDArray[np.bool_]) -> History:
    return history if kept.all() else History(**{name: getattr(history, name)[kept] for name in _COLUMNS})


def _basket(name: str | None) -> int:
    """A number for a basket of which only the name is known, far from those that ingest gives; -1 for none."""
    if name is None:
        return -1
    return (1 << 62) + int.from_bytes(hashlib.blake2b(name.encode("utf-8"), digest_size=7).digest())


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


_NOTHING = _Since(EventBatch.empty(), 0, History.empty(), History.empty(), np.empty(0, np.int64), [])
_NOTHING = _NOTHING._replace(interest=_NOTHING.history)
