"""Questions whose answers are known, made of a bundle alone."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.core.errors import ExportError
from savor.data.histories import Histories
from savor.evaluation.hits import hits_of_lists
from savor.evaluation.metrics import accuracy
from savor.export.edge_features import NOT_ON_DEVICE
from savor.export.own_items import OwnItemsBonus
from savor.features.feature_space import FeatureSpace
from savor.features.profiles import Profiles
from savor.features.table_encoder import Inputs

CUTOFF = 10
REPEATS = 0.01
"""Where at most this share of what people chose last is something they had before, lists leave out what they had."""

_BATCH = 256


@dataclass(frozen=True)
class Questions:
    """Q people, each asked about just before what they did last: their last basket, or their last event without one.

    Attributes:
        users: (Q,) int32 rows of the user table, rising.
        now: (Q,) int64 UTC seconds, when that began.
        histories: of all users, without what is asked for.
        profiles: of all users.
        indptr: (Q + 1,) int64; the items that question q asks for stand at `indptr[q]:indptr[q + 1]`.
        items: (R,) int32 positions in `rows`, distinct in each question.
        rows: (I,) int32 items of the server that the device has; other items are not asked for.
        excludes_seen: whether a list leaves out what stands in the history.
        barred: (B,) int32 positions in `rows` of items that no list may hold.
        bonus: what the device adds to the scores of items that stand in the history; None for nothing.
        kinds: names of the kinds of events by number; needed with `bonus`.
    """

    users: NDArray[np.int32]
    now: NDArray[np.int64]
    histories: Histories
    profiles: Profiles
    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    rows: NDArray[np.int32]
    excludes_seen: bool
    barred: NDArray[np.int32]
    bonus: OwnItemsBonus | None = None
    kinds: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def of_bundle(
        cls,
        bundle: Bundle,
        rows: NDArray[np.int32],
        in_stock: NDArray[np.bool_],
        *,
        kept: NDArray[np.int32] | None = None,
        maximum: int,
        seed: int = 0,
    ) -> "Questions":
        """At most `maximum` questions from the histories in `bundle`, drawn by `seed`.

        Args:
            bundle: of the server.
            rows: (I,) int32 items that the device has, rising.
            in_stock: (I,) bool.
            kept: (H,) int32 other items that the device knows; events of all others are left out. None: nothing is.
            maximum: how many.
            seed: of the draw.

        Raises:
            ExportError: nobody in the bundle has a history that such a question can be made of.
        """
        found = {
            field.name: np.load(bundle.path(f"state/histories/{field.name}.npy"), allow_pickle=False)
            for field in fields(Histories)
        }
        whole = Histories(**found)
        if kept is not None:
            whole = _only(whole, np.concatenate([rows, kept]))
            found = vars(whole)
        start = _last_begins(whole)
        asked = np.flatnonzero((start > whole.indptr[:-1]) & (start < whole.indptr[1:])).astype(np.int32)
        place = np.full(int(max(whole.item.max(initial=0), rows.max())) + 1, -1, np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
        wanted = [np.unique(place[whole.item[start[user] : whole.indptr[user + 1]]]) for user in asked]
        wanted = [items[items >= 0] for items in wanted]
        filled = [number for number, items in enumerate(wanted) if len(items)]
        if not filled:
            raise ExportError(
                f"bundle {bundle.id} has no histories to compare the device with the server on: nobody in it did more "
                "than one thing with the items of this export"
            )
        if len(filled) > maximum:
            drawn = np.random.default_rng(seed).choice(len(filled), maximum, replace=False)
            filled = [filled[number] for number in np.sort(drawn)]
        users, wanted = asked[filled], [wanted[number] for number in filled]
        now = whole.time[start[users]]
        known = np.ones(len(whole.item), np.bool_)
        # Only the asked lose what they did last, and the whole of it, also at moments that others know.
        for user in users.tolist():
            known[start[user] : whole.indptr[user + 1]] = False
        histories = _where(whole, known)
        indptr = histories.indptr
        before = [
            np.isin(rows[items], histories.item[indptr[user] : indptr[user + 1]]).sum()
            for user, items in zip(users.tolist(), wanted, strict=True)
        ]
        total = sum(len(items) for items in wanted)
        return cls(
            users,
            now,
            histories,
            Profiles.load(bundle.path("state/profiles")),
            np.concatenate([[0], np.cumsum([len(items) for items in wanted])]).astype(np.int64),
            np.concatenate(wanted).astype(np.int32),
            rows,
            bool(sum(before) <= REPEATS * total),
            np.flatnonzero(~in_stock).astype(np.int32),
        )

    def only(self, asked: NDArray[np.intp]) -> "Questions":
        """The questions with these (A,) numbers."""
        parts = [self.items[self.indptr[number] : self.indptr[number + 1]] for number in asked.tolist()]
        return replace(
            self,
            users=self.users[asked],
            now=self.now[asked],
            indptr=np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64),
            items=np.concatenate([np.empty(0, np.int32), *parts]).astype(np.int32),
        )

    def inputs(self, space: FeatureSpace, *, user_ids: bool) -> Inputs:
        """What the server's user tower takes, but for what a device does not have: that is as for a newcomer.

        Without `user_ids` everybody is an unknown user.
        """
        ends = self.histories.indptr[self.users + 1]
        parts = []
        for first in range(0, len(self), _BATCH):
            part = slice(first, first + _BATCH)
            parts.append(space.user_inputs(self.users[part], self.histories, self.now[part], ends[part]))
        inputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for name in (*NOT_ON_DEVICE, *(() if user_ids else ("user_id",))):
            if name in inputs:
                inputs[name] = np.zeros_like(inputs[name])
        return inputs

    def closed(self, question: int) -> NDArray[np.int32]:
        """Positions in `rows` that the list of one question may not hold."""
        if not self.excludes_seen:
            return self.barred
        user = int(self.users[question])
        seen = self._place[self.histories.item[self.histories.indptr[user] : self.histories.indptr[user + 1]]]
        return np.concatenate([self.barred, seen[seen >= 0]])

    def masks(self, barred: float) -> Iterator[NDArray[np.float32]]:
        """For each question (I,) float32: `barred` for what its list may not hold, the bonus of own items, else 0.

        It is one array that changes.
        """
        mask = np.zeros(len(self.rows), np.float32)
        for question in range(len(self)):
            closed = self.closed(question)
            own, worth = self.own_bonus(question)
            mask[own] = worth
            mask[closed] = barred
            yield mask
            mask[own] = mask[closed] = 0

    def own_bonus(self, question: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Positions in `rows` of the own items of a question, and their bonus."""
        if self.bonus is None:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        history = self.histories.of(int(self.users[question]))
        items, worth = self.bonus.of(history, self.kinds, int(self.now[question]))
        known = self._place[items] >= 0
        return self._place[items[known]], worth[known]

    def ndcg(self, lists: NDArray[np.int32]) -> NDArray[np.float64]:
        """(Q,) NDCG@10 of (Q, k) lists of positions in `rows`, -1 for empty places."""
        width = min(CUTOFF, lists.shape[1])
        hits = hits_of_lists(lists[:, :width], self.indptr, self.items)
        return accuracy(hits, np.diff(self.indptr), [width])[f"ndcg@{width}"]

    @cached_property
    def _place(self) -> NDArray[np.int32]:
        place = np.full(int(max(self.histories.item.max(initial=0), self.rows.max())) + 1, -1, np.int32)
        place[self.rows] = np.arange(len(self.rows), dtype=np.int32)
        return place


def _only(histories: Histories, items: NDArray[np.int32]) -> Histories:
    """The events with those items."""
    wanted = np.zeros(int(max(histories.item.max(initial=0), items.max(initial=0))) + 1, np.bool_)
    wanted[items] = True
    return _where(histories, wanted[histories.item])


def _where(histories: Histories, kept: NDArray[np.bool_]) -> Histories:
    """The events where `kept` ((N,) bool)."""
    before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    columns = {name: column[kept] for name, column in vars(histories).items() if name != "indptr"}
    return Histories(before[histories.indptr], **columns)


def _last_begins(histories: Histories) -> NDArray[np.int64]:
    """(U,) position of the first event of what each user did last; the end of the row for somebody without any."""
    start = histories.indptr[1:].copy()
    for user in np.flatnonzero(np.diff(histories.indptr)).tolist():
        first, end = int(histories.indptr[user]), int(histories.indptr[user + 1])
        basket = histories.basket[end - 1]
        same = histories.basket[first:end] == basket if basket >= 0 else np.zeros(end - first, np.bool_)
        others = np.flatnonzero(~same)
        start[user] = end - 1 if basket < 0 else first + (int(others[-1]) + 1 if len(others) else 0)
    return start
