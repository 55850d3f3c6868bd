"""A search of which the answer is known; run as a module it is a worker that can be killed."""

import sys
import time
from pathlib import Path
from typing import Any

from savor.core.config import Section
from savor.core.errors import TrainingError
from savor.training.tracking.tracker import VALIDATION
from savor.training.tuning.options import TuningOptions
from savor.training.tuning.search import Search
from savor.training.tuning.trial_tracker import TrialTracker
from tests.training.tuning.silent_tracker import SilentTracker

PASSES = 5
SPACE = {
    "retrieval.temperature": {"low": 0.01, "high": 1.0, "log": True},
    "retrieval.width": {"choices": [16, 32, 64]},
    "retrieval.hidden": {"choices": [[64], [128, 64]]},
    "retrieval.depth": {"low": 1, "high": 4, "when": {"retrieval.model": "deep"}},
}


class Retrieval(Section):
    """Best at a temperature of 0.1 and a width of 32."""

    model: str = "flat"
    temperature: float = 0.5
    width: int = 16
    hidden: tuple[int, ...] = (64,)
    depth: int = 2


class Shop(Section):
    """A configuration."""

    retrieval: Retrieval = Retrieval()
    tuning: TuningOptions = TuningOptions()


class KnownBest:
    """Reports five passes that rise to the value of the setting."""

    metric = "ndcg@10"
    terms: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, wait: float = 0.0) -> None:
        self._wait = wait
        self.passes: list[int] = []

    def prepare(self) -> None:
        """Nothing to do."""

    def __call__(self, configuration: Any, trial: Any, directory: Path) -> float:
        options = configuration.retrieval
        if options.width == 64 and options.temperature > 0.9:
            raise TrainingError("these do not go together")
        from math import log10

        value = 1.0 - abs(log10(options.temperature) + 1) / 2 - (0.2 if options.width != 32 else 0.0)
        tracker = TrialTracker(trial, SilentTracker())
        self.passes.append(0)
        for number in range(1, PASSES + 1):
            time.sleep(self._wait)
            self.passes[-1] = number
            tracker.scalars({"loss": 1.0, VALIDATION + self.metric: value * number / PASSES}, number)
        return value


def search(directory: Path, objective: Any, **changed: Any) -> Search:
    options = TuningOptions.model_validate({"space": SPACE, "random_trials": 4, **changed.pop("tuning", {})})
    values = changed.pop("values", {})
    return Search(
        stage="retrieval",
        directory=directory,
        values=values,
        configuration=Shop.model_validate({**values, "tuning": options}),
        options=options,
        objective=objective,
        data={"the data": "d", "the split": "s", **changed},
        seed=3,
    )


if __name__ == "__main__":
    left = iter(range(100))
    search(Path(sys.argv[1]), KnownBest(0.2)).work(lambda: next(left, None) is not None, worker=int(sys.argv[2]))
