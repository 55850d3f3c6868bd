"""What a turn found, and what has to be said of it."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from savor.pipeline.result import Fallback, Reason

_NONE = np.empty(0, np.int32)
NoteKind = Literal[
    "unknown_thing", "part", "near", "unknown_without", "quality_dropped", "partly", "price", "nothing", "no_more",
    "fewer", "sizes", "like", "ruled_out", "diet", "total", "spelled", "left",
]  # fmt: skip


class Note(NamedTuple):
    """Something to be said about what was found: what kind, about what, and a word more."""

    kind: NoteKind
    about: str
    more: str = ""


@dataclass(frozen=True)
class Found:
    """The list of a turn.

    Attributes:
        rows: (n,) int32 item rows, best first.
        scores: (n,) float32 what the ranker says.
        reasons: one for each.
        groups: for each, the thing that it is one of; "" where none was named.
        candidates: (N,) int32 rows of everything that satisfies the wish and was looked at.
        notes: what has to be said.
        fallbacks: in what way the pipeline could do less than usual.
    """

    rows: NDArray[np.int32] = field(default_factory=lambda: _NONE)
    scores: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    reasons: tuple[Reason, ...] = ()
    groups: tuple[str, ...] = ()
    candidates: NDArray[np.int32] = field(default_factory=lambda: _NONE)
    notes: tuple[Note, ...] = ()
    fallbacks: tuple[Fallback, ...] = ()
