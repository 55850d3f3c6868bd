"""How good the candidates are that a retriever with given settings finds."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from savor.core.errors import TrainingError
from savor.core.top_k import top_k
from savor.evaluation.hits import hits_of_lists
from savor.evaluation.metrics import accuracy
from savor.training.retrieval_validation import RetrievalValidation, list_length
from savor.training.retriever import train_retriever
from savor.training.tracking.open_tracker import open_tracker
from savor.training.tuning.options import TuningOptions
from savor.training.tuning.trial_tracker import TrialTracker
from savor.training.two_stage import TwoStage

if TYPE_CHECKING:
    import optuna

    from savor.features.feature_space import FeatureSpace
    from savor.training.trained_towers import TrainedTowers

CHUNK = 256


@dataclass
class RetrievalObjective:
    """Trains a retriever on what came before the ranker's windows and ranks the whole catalogue in the first of them.

    Nothing at or after the test is looked at. The training's own validation asks the same.

    Attributes:
        stages: from a configuration to its stages.
        present: the configuration as it is.
        options: metric and number of users.
    """

    stages: Callable[[Any], TwoStage]
    present: Any
    options: TuningOptions
    _spaces: dict[str, "FeatureSpace"] = field(default_factory=dict, init=False, repr=False)

    @property
    def metric(self) -> str:
        """See `Objective`."""
        number_of_items = len(self.stages(self.present).dataset.item_ids)
        return self.options.retrieval_metric or f"recall_min@{list_length(number_of_items)}"

    @property
    def terms(self) -> Mapping[str, Any]:
        """See `Objective`."""
        return {"the task": self.options.retrieval_task, "tuning.users": self.options.users}

    def prepare(self) -> None:
        """See `Objective`; fills the cache of text vectors.

        Raises:
            TrainingError: there is nothing to be asked.
        """
        stages = self.stages(self.present)
        if self._asked(stages) is None:
            raise TrainingError("nobody chose anything in the ranker's first window, so settings cannot be judged")
        self._space(stages)

    def __call__(self, configuration: Any, trial: "optuna.Trial", directory: Path) -> float:
        """See `Objective`."""
        stages = self.stages(configuration)
        window = stages.windows()[-1]
        space = self._space(stages)
        validation = self._asked(stages)
        if validation is None:
            raise TrainingError("nobody chose anything in the ranker's first window")
        options = stages.retriever_options()
        tracking = options.tracking.model_copy(update={"name": f"trial {trial.number}"})
        _forget_networks()
        trained = train_retriever(
            stages.dataset.events.select(window.known),
            space,
            options,
            directory,
            validation=validation,
            seed=stages.seed,
            tracker=TrialTracker(trial, open_tracker(tracking, directory, options.retrieval.model)),
        )
        return measure(trained, validation.sample(self.options.users, stages.seed), self.metric)

    def _asked(self, stages: TwoStage) -> RetrievalValidation | None:
        number_of_items = len(stages.dataset.item_ids)
        return stages.retrieval_validation(stages.windows()[-1], number_of_items, self.options.retrieval_task)

    def _space(self, stages: TwoStage) -> "FeatureSpace":
        """The feature space of the last features asked for; fitting takes a while where catalogues are large."""
        key = stages.features.model_dump_json() + stages.images.model_dump_json()
        if key not in self._spaces:
            window = stages.windows()[-1]
            self._spaces = {key: stages.feature_space(stages.dataset.events.select(window.known), window.now)}
        return self._spaces[key]


def _forget_networks() -> None:
    """Give back what the networks of the trials before hold."""
    import keras

    # It warns of functions that are traced often, as every trial traces its own.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    keras.utils.clear_session()


def measure(trained: "TrainedTowers", validation: RetrievalValidation, metric: str) -> float:
    """Mean of `metric` over the users of `validation`, of lists of the whole catalogue by inner products."""
    k = int(metric.split("@")[1])
    space = trained.space
    items = trained.item_vectors()
    found: list[np.ndarray[Any, Any]] = []
    scored: list[np.ndarray[Any, Any]] = []
    for start in range(0, len(validation), CHUNK):
        rows = slice(start, min(start + CHUNK, len(validation)))
        inputs = space.user_inputs(validation.users[rows], validation.histories, validation.now[rows])
        scores = trained.user_vectors(inputs) @ items.T
        for row in range(rows.start, rows.stop):
            hidden = validation.hidden[validation.hidden_indptr[row] : validation.hidden_indptr[row + 1]]
            scores[row - rows.start, hidden] = -np.inf
        best, values = top_k(scores, k)
        found.append(best)
        scored.append(values)
    hits = hits_of_lists(np.concatenate(found), validation.indptr, validation.relevant, np.concatenate(scored))
    return float(accuracy(hits, np.diff(validation.indptr), (k,))[metric].mean())
