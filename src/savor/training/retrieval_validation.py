"""How good the vectors are at finding what users chose next."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from savor.data.histories import Histories

CHUNK = 256
LONGEST_LIST = 100
"""The validation metric of a training looks at so many items, or at a tenth of a catalogue of fewer than a thousand."""


def list_length(number_of_items: int) -> int:
    """How long the lists are that the validation metric of a training looks at."""
    return min(LONGEST_LIST, max(1, number_of_items // 10))


@dataclass(frozen=True)
class RetrievalValidation:
    """Users at a moment, what is known of them then, and what they chose after.

    Attributes:
        users: (Q,) int32.
        now: (Q,) int64 UTC seconds.
        histories: what is known.
        indptr: (Q + 1,) int64 row boundaries in `relevant`.
        relevant: (N,) int32 distinct items each user chose after.
        hidden_indptr, hidden: in the same form, items that must not be recommended to each user; empty for none.
    """

    users: NDArray[np.int32]
    now: NDArray[np.int64]
    histories: Histories
    indptr: NDArray[np.int64]
    relevant: NDArray[np.int32]
    hidden_indptr: NDArray[np.int64]
    hidden: NDArray[np.int32]

    @classmethod
    def new_items(
        cls,
        users: NDArray[np.int32],
        now: NDArray[np.int64],
        histories: Histories,
        indptr: NDArray[np.int64],
        relevant: NDArray[np.int32],
    ) -> "RetrievalValidation":
        """The task of finding items that are new to the user: `relevant` without, and hiding, those in the history.

        Users with nothing left to find are left out.
        """
        wanted = [
            np.setdiff1d(relevant[indptr[row] : indptr[row + 1]], histories.of(int(user)).item)
            for row, user in enumerate(users)
        ]
        kept = np.flatnonzero([len(items) > 0 for items in wanted])
        wanted = [wanted[row] for row in kept]
        seen = [np.unique(histories.of(int(user)).item) for user in users[kept]]
        return cls(users[kept], now[kept], histories, _indptr(wanted), _joined(wanted), _indptr(seen), _joined(seen))

    @classmethod
    def all_items(
        cls,
        users: NDArray[np.int32],
        now: NDArray[np.int64],
        histories: Histories,
        indptr: NDArray[np.int64],
        relevant: NDArray[np.int32],
    ) -> "RetrievalValidation":
        """The task of finding everything that was chosen, known or new."""
        return cls(users, now, histories, indptr, relevant, np.zeros(len(users) + 1, np.int64), np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.users)

    def sample(self, maximum: int, seed: int) -> "RetrievalValidation":
        """At most `maximum` of the users, drawn by `seed`, in the same order."""
        if len(self) <= maximum:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), maximum, replace=False))
        wanted = [self.relevant[self.indptr[row] : self.indptr[row + 1]] for row in rows]
        hidden = [self.hidden[self.hidden_indptr[row] : self.hidden_indptr[row + 1]] for row in rows]
        return RetrievalValidation(
            self.users[rows],
            self.now[rows],
            self.histories,
            _indptr(wanted),
            _joined(wanted),
            _indptr(hidden),
            _joined(hidden),
        )

    def recall(self, users: NDArray[np.float32], items: NDArray[np.float32], k: int, *, capped: bool = True) -> float:
        """Mean over users of the share of relevant items among the k items with the highest inner products.

        Args:
            users: (Q, D) vectors.
            items: (I, D) vectors.
            k: length of the lists.
            capped: divide by min(k, number relevant), `recall_min@k`; otherwise by the number relevant.
        """
        k = min(k, len(items))
        shares = np.empty(len(self))
        for start in range(0, len(self), CHUNK):
            stop = min(start + CHUNK, len(self))
            scores = users[start:stop] @ items.T
            for row in range(start, stop):
                hidden = self.hidden[self.hidden_indptr[row] : self.hidden_indptr[row + 1]]
                scores[row - start, hidden] = -np.inf
            top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
            for row in range(start, stop):
                wanted = self.relevant[self.indptr[row] : self.indptr[row + 1]]
                found = np.isin(wanted, top[row - start], assume_unique=True).sum()
                shares[row] = found / max(min(k, len(wanted)) if capped else len(wanted), 1)
        return float(shares.mean())

    def ndcg(self, users: NDArray[np.float32], items: NDArray[np.float32], k: int) -> float:
        """Mean over users of NDCG@k with binary gains, of lists by inner products; a tie counts against the model.

        Args:
            users: (Q, D) vectors.
            items: (I, D) vectors.
            k: length of the lists.
        """
        discount = 1 / np.log2(np.arange(k) + 2)
        ideal = np.concatenate([[0.0], np.cumsum(discount)])
        values = np.empty(len(self))
        for start in range(0, len(self), CHUNK):
            scores = users[start : start + CHUNK] @ items.T
            for row, own in enumerate(scores, start):
                wanted = self.relevant[self.indptr[row] : self.indptr[row + 1]]
                own[self.hidden[self.hidden_indptr[row] : self.hidden_indptr[row + 1]]] = -np.inf
                reached = own[wanted]
                own[wanted] = -np.inf
                others = (own[None, :] >= reached[:, None]).sum(axis=1)
                rank = others + np.argsort(np.argsort(-reached, kind="stable"), kind="stable")
                gained = discount[rank[(rank < k) & np.isfinite(reached)]].sum()
                values[row] = gained / ideal[min(k, len(wanted))] if len(wanted) else 0.0
        return float(values.mean())


def _indptr(rows: list[NDArray[np.int32]]) -> NDArray[np.int64]:
    indptr = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=indptr[1:])
    return indptr


def _joined(rows: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    return np.concatenate(rows) if rows else np.empty(0, np.int32)
