"""A retriever as a model among others: fitted on events, asked for lists."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.core.native_output import native_output_hidden
from savor.data.events import Events
from savor.data.histories import Histories
from savor.evaluation.holdout import Holdout
from savor.models.ranked import Ranked
from savor.training.retrieval_validation import RetrievalValidation
from savor.training.retriever import RetrieverOptions, train_retriever
from savor.training.two_stage import TwoStage

if TYPE_CHECKING:
    from savor.training.trained_towers import TrainedTowers

_BLOCK = 256


class TowerRecommender:
    """Whatever `[retrieval] model` names, trained through `train_retriever` and searched exactly.

    Args:
        stages: the data set and every section the retriever and its features read.
        directory: for files of the training.
    """

    def __init__(self, stages: TwoStage, directory: Path) -> None:
        self.name = stages.retrieval.model
        self.towers: TrainedTowers | None = None
        self._stages, self._directory = stages, directory

    def fit(self, events: Events, now: int, validation: RetrievalValidation | None) -> None:
        """Learn from `events`.

        Args:
            events: what may be learnt from, in time order.
            now: UTC seconds, not before the last of them.
            validation: decides when to stop and which pass is kept; without it the last is.
        """
        self._train(events, now, self._stages.retriever_options(), validation)

    def refit(self, events: Events, now: int, passes: int | None = None) -> None:
        """Learn anew from more events, with `passes`, or as many passes as were best before.

        Raises:
            TrainingError: `passes` was not given, and `fit` was not called with a validation.
        """
        options = self._stages.retriever_options()
        update = {"epochs": self.best_pass if passes is None else passes, "time_budget_seconds": None}
        retrieval = options.retrieval.model_copy(update=update)
        self._train(events, now, RetrieverOptions(**{**vars(options), "retrieval": retrieval}), None)

    @property
    def history(self) -> list[dict[str, Any]]:
        """One JSON object per pass of the last training."""
        return self._trained().history

    @property
    def best_pass(self) -> int:
        """The number, from 1, of the pass that was best on validation.

        Raises:
            TrainingError: no pass was validated.
        """
        towers = self._trained()
        values = [(entry.get(towers.metric), int(entry["epoch"])) for entry in towers.history]
        measured = [(float(value), -epoch) for value, epoch in values if value is not None]
        if not measured:
            raise TrainingError("how many passes are best is not known: there was no validation")
        return -max(measured)[1]

    def answer(self, holdout: Holdout, k: int) -> Ranked:
        """The k best items for every question, from all that the holdout knows by then.

        Items without any event before are not offered, unless the task is about them; seen items are left out where the
        task says so.
        """
        towers, known = self._trained(), holdout.histories
        events = np.bincount(known.item, minlength=holdout.number_of_items)
        offered = np.flatnonzero(events if holdout.task != "cold_items" else np.ones_like(events)).astype(np.int32)
        with native_output_hidden():
            vectors = towers.item_vectors()[offered]
            parts = [
                self._block(towers, vectors, offered, holdout, slice(start, start + _BLOCK), k)
                for start in range(0, len(holdout), _BLOCK)
            ]
        return Ranked.concatenate(parts, k)

    def number_of_weights(self) -> int:
        """Trained numbers in both networks."""
        towers = self._trained()
        return sum(int(tower.count_params()) for tower in (towers.user, towers.item))

    def _train(
        self, events: Events, now: int, options: RetrieverOptions, validation: RetrievalValidation | None
    ) -> None:
        self.towers = train_retriever(
            events,
            self._stages.feature_space(events, now),
            options,
            self._directory,
            validation=validation,
            seed=self._stages.seed,
        )

    def _trained(self) -> "TrainedTowers":
        if self.towers is None:
            raise TrainingError("the retriever is not fitted yet")
        return self.towers

    @staticmethod
    def _block(
        towers: "TrainedTowers",
        vectors: NDArray[np.float32],
        offered: NDArray[np.int32],
        holdout: Holdout,
        rows: slice,
        k: int,
    ) -> Ranked:
        users = holdout.users[rows]
        inputs = towers.space.user_inputs(users, holdout.histories, holdout.now[rows])
        scores = np.ascontiguousarray(towers.user_vectors(inputs) @ vectors.T)
        if holdout.excludes_seen:
            _mask_history(scores, users, holdout.histories, offered, holdout.number_of_items)
        return Ranked.from_scores(scores, k, offered)


def _mask_history(
    scores: NDArray[np.float32],
    users: NDArray[np.int32],
    known: Histories,
    offered: NDArray[np.int32],
    number_of_items: int,
) -> None:
    column = np.full(number_of_items, -1, np.int64)
    column[offered] = np.arange(len(offered))
    for row, user in enumerate(users):
        scores[row, column[known.item[known.indptr[user] : known.indptr[user + 1]]]] = -np.inf
