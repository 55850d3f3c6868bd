"""How close a device's answers are to the server's, and where they part."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import ExportError
from savor.evaluation.bootstrap import Bootstrap, Interval
from savor.export.questions import CUTOFF, Questions
from savor.export.server_lists import Lists

FLAT = 1e-6


@dataclass(frozen=True)
class Bounds:
    """What is still the same.

    Attributes:
        loss: most of the server's NDCG@10 that may be lost, as a share of it.
        agreement: least share of ten items that both lists must hold, over all people.
    """

    loss: float = 0.002
    agreement: float = 0.9


@dataclass(frozen=True)
class Parity:
    """Two sets of answers to the same Q questions.

    Attributes:
        questions: Q.
        k: length of the lists.
        agreement: share of the first ten items that both lists hold.
        agreement_at_k: the same of all k.
        rank_correlation: Spearman's, of the places of the items that both lists hold.
        server, edge: NDCG@10 of both.
        loss: what the device loses of the server's NDCG@10, as a share of it; below 0 where it gains. NaN where the
            server finds nothing.
        score_difference: largest, of an item that both lists hold.
    """

    questions: int
    k: int
    agreement: Interval
    agreement_at_k: Interval
    rank_correlation: Interval
    server: Interval
    edge: Interval
    loss: Interval
    score_difference: float

    @classmethod
    def of(cls, questions: Questions, server: Lists, edge: Lists, *, seed: int = 0) -> "Parity":
        """Compare; the intervals are over the people, the same resamples for every figure."""
        bootstrap = Bootstrap(len(questions), seed=seed)
        k = edge.items.shape[1]
        short = overlap(server.items[:, :CUTOFF], edge.items[:, :CUTOFF])
        whole, correlation, difference = _compared(server, edge)
        good, found = questions.ndcg(server.items), questions.ndcg(edge.items)
        columns = np.stack([short, whole, correlation, good, found], axis=1)
        loss = Interval(np.nan, np.nan, np.nan)
        if good.sum() > 0:
            with np.errstate(invalid="ignore", divide="ignore"):
                loss = bootstrap.ratio(good - found, good)
        alike, alike_at_k, ranks, ours, theirs = bootstrap.intervals(columns)
        return cls(len(questions), k, alike, alike_at_k, ranks, ours, theirs, loss, difference)

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return {name: value.as_json() if isinstance(value, Interval) else value for name, value in vars(self).items()}

    def problem(self, bounds: Bounds) -> str | None:
        """What is over the bounds, with the figures; None where nothing is."""
        if self.loss.mean > bounds.loss:
            return (
                f"it loses {100 * self.loss.mean:.2f}% [{100 * self.loss.low:.2f}, {100 * self.loss.high:.2f}] of the "
                f"server's NDCG@10, and {100 * bounds.loss:.2f}% are allowed"
            )
        if self.agreement.mean < bounds.agreement:
            mean, low, high = (100 * value for value in vars(self.agreement).values())
            return (
                f"{mean:.1f}% [{low:.1f}, {high:.1f}] of its first ten items are the server's, and "
                f"{100 * bounds.agreement:.1f}% are needed"
            )
        return None


def overlap(one: NDArray[np.int32], other: NDArray[np.int32]) -> NDArray[np.float64]:
    """(Q,) share of the items of `one` (Q, a) that `other` (Q, b) holds; 1 where a list is empty (all -1)."""
    there = one >= 0
    common = ((one[:, :, None] == other[:, None, :]) & there[:, :, None]).any(axis=2).sum(axis=1)
    return np.where(there.any(axis=1), common / np.maximum(there.sum(axis=1), 1), 1.0)


def where_they_part(questions: Questions, server: Lists, edge: Lists, ids: list[str]) -> str:
    """The first difference for the person whose two lists agree least; `ids` are those of the items by position."""
    filled = edge.scores[edge.items >= 0]
    if not len(filled):
        return "No score of the device is a number: the model has lost its weights"
    if float(np.ptp(filled)) < FLAT:
        return f"All scores of the device are {filled[0]:.4g}: the model has lost its weights"
    worst = int(np.argmin(overlap(server.items[:, :CUTOFF], edge.items[:, :CUTOFF])))
    user = questions.profiles.ids[int(questions.users[worst])]
    one, other = server.items[worst], edge.items[worst]
    place = int(np.argmax(one[: len(other)] != other))
    own = _score(server, worst, int(one[place]))
    theirs = _score(edge, worst, int(one[place]))
    says = f"gives {theirs}" if theirs else "does not list"
    return (
        f"User {user!r} at place {place + 1}: the server has {_name(ids, int(one[place]))} with score {own}, which the "
        f"device {says}; it has {_name(ids, int(other[place]))} there"
    )


def require(parity: Parity, bounds: Bounds, questions: Questions, server: Lists, edge: Lists, ids: list[str]) -> None:
    """Raise where the device says something else.

    Raises:
        ExportError: over the bounds; says by how much, and where (code `parity_failed`).
    """
    if problem := parity.problem(bounds):
        raise ExportError(
            f"the edge model does not answer as the server does: {problem}. "
            f"{where_they_part(questions, server, edge, ids)}",
            code="parity_failed",
        )


def _compared(server: Lists, edge: Lists) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """(Q,) agreement of whole lists, (Q,) Spearman's correlation, and the largest difference of scores."""
    agreement, correlation = np.ones(len(server.items)), np.full(len(server.items), np.nan)
    largest = 0.0
    for number in range(len(server.items)):
        ours = server.items[number][server.items[number] >= 0]
        theirs = edge.items[number][edge.items[number] >= 0]
        common, first, second = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
        if len(ours):
            agreement[number] = len(common) / len(ours)
        if len(common) > 2:
            ranks = np.argsort(np.argsort(first)), np.argsort(np.argsort(second))
            correlation[number] = np.corrcoef(*ranks)[0, 1]
        if len(common):
            largest = max(largest, float(np.abs(server.scores[number][first] - edge.scores[number][second]).max()))
    return agreement, correlation, largest


def _score(lists: Lists, question: int, item: int) -> str:
    found = np.flatnonzero(lists.items[question] == item)
    return f"{lists.scores[question, found[0]]:.4f}" if len(found) and item >= 0 else ""


def _name(ids: list[str], item: int) -> str:
    return f"item {ids[item]!r}" if item >= 0 else "no item"
