"""What came out of one training of one model."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Outcome:
    """What the process of a training reports.

    Attributes:
        arrays: the answers, see `Answer`.
        fit_seconds, answer_seconds: wall time.
        peak_mb: largest resident set of the process, data and libraries included.
        details: see `Answer`.
    """

    arrays: Arrays
    fit_seconds: float
    answer_seconds: float
    peak_mb: float
    details: dict[str, Any]
