"""What a pipeline answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.online.experiments.exploration import Explored
from savor.pipeline.candidates import Candidates


class Reason(NamedTuple):
    """Why an item is in the list: `code` for programs, `text` for people."""

    code: str
    text: str


class Drop(NamedTuple):
    """`number` candidates that filter `stage` took out."""

    stage: str
    number: int


class Failure(NamedTuple):
    """An optional stage that did not do its work.

    Attributes:
        stage: its name.
        kind: `error`, `contract` (it gave something else than promised), `missing_input` or `deadline`.
        message: what happened.
    """

    stage: str
    kind: str
    message: str


class Fallback(NamedTuple):
    """One way in which the answer is less than the pipeline can do: `code` for programs, `text` for people."""

    code: str
    text: str


@dataclass(frozen=True)
class Trace:
    """What happened on the way.

    Attributes:
        timings: nanoseconds by stage, in the order they ran.
        retrieved: number of items by source.
        ranked: number of candidates that were scored.
        sources: names of the sources; bit b of `Candidates.source` is `sources[b]`.
        scorer: what gave the scores.
    """

    timings: dict[str, int]
    retrieved: dict[str, int]
    ranked: int
    sources: tuple[str, ...]
    scorer: str


@dataclass(frozen=True)
class Result:
    """The chosen items, best first, and the truth about them.

    Attributes:
        candidates: the n chosen in the order shown, with the score and the columns of every source.
        reasons: one for each.
        dropped: by filter.
        failures: of optional stages.
        fallbacks: empty when everything worked as meant.
        trace: timings and counts.
        hydrated: what was found out about the query, by column.
        explored: with which probability each item stood where it stands; None where nothing may be drawn.
        more: whether there are candidates beyond these.
    """

    candidates: Candidates
    reasons: list[Reason]
    dropped: tuple[Drop, ...]
    failures: tuple[Failure, ...]
    fallbacks: tuple[Fallback, ...]
    trace: Trace
    hydrated: Mapping[str, Any]
    explored: Explored | None = None
    more: bool = False

    @property
    def items(self) -> NDArray[np.int32]:
        """(n,) int32 item rows."""
        return self.candidates.item

    @property
    def scores(self) -> NDArray[np.float32]:
        """(n,) float32, what the ranker says; it falls along the list where no rule changed the order."""
        return self.candidates.score

    @property
    def fallback(self) -> str | None:
        """The fallbacks as one line, `code: text` each, or None."""
        return "; ".join(f"{code}: {text}" for code, text in self.fallbacks) or None
