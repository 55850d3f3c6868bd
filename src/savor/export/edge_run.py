"""An edge model that answers questions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns, thread_time_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.core.native_output import native_output_hidden
from savor.export.questions import Questions
from savor.export.server_lists import BARRED, LEAST, Lists
from savor_edge.edge_model import MASK, EdgeModel

_WARM_UP = 20


@dataclass(frozen=True)
class Latency:
    """Milliseconds of a call on one thread.

    Attributes:
        p50, p99: on the clock, whatever else the machine was doing.
        p50_processor, p99_processor: of the processor's time alone.
    """

    p50: float
    p99: float
    p50_processor: float
    p99_processor: float

    @classmethod
    def of(cls, took: NDArray[np.float64]) -> "Latency":
        """From (2, Q) nanoseconds, on the clock and of the processor."""
        return cls(*map(float, np.percentile(took, (50, 99), axis=1).T.ravel() / 1e6))

    def to_json(self) -> dict[str, float]:
        """As a JSON value, rounded to microseconds."""
        return {name: round(value, 3) for name, value in vars(self).items()}


def run_edge(folder: Path, inputs: Mapping[str, NDArray[Any]], questions: Questions) -> tuple[Lists, Latency]:
    """What `model.tflite` in `folder` answers, with `inputs` of Q rows by name.

    Raises:
        EdgeError: the file is no such model, or an input has another shape.
    """
    with native_output_hidden():
        model = EdgeModel.open(folder)
        names = [name for name in model.shapes if name != MASK]
        k = int(model({name: inputs[name][:1] for name in names}).items.shape[0])
    items = np.full((len(questions), k), -1, np.int32)
    scores = np.full((len(questions), k), -np.inf, np.float32)
    took = np.zeros((2, len(questions)))
    for number, mask in enumerate(questions.masks(float(BARRED))):
        given = {name: inputs[name][number : number + 1] for name in names}
        if number == 0:
            for _ in range(_WARM_UP):
                model(given, mask)
        clock, processor = perf_counter_ns(), thread_time_ns()
        found = model(given, mask)
        took[:, number] = perf_counter_ns() - clock, thread_time_ns() - processor
        allowed = found.scores >= LEAST
        items[number, allowed], scores[number, allowed] = found.items[allowed], found.scores[allowed]
    return Lists(items, scores), Latency.of(took)
