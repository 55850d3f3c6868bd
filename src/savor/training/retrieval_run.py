"""The moving parts of a two-tower training: networks, optimizer, and where it stands."""

from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.core.hashing import sha256_json
from savor.data.histories import Histories
from savor.features.feature_space import FeatureSpace
from savor.features.table_encoder import Inputs
from savor.training.checkpoints import Checkpoint
from savor.training.retrieval_examples import RetrievalExamples
from savor.training.retrieval_loss import retrieval_loss
from savor.training.retrieval_options import RetrievalOptions
from savor.training.tower_optimizer import TowerOptimizer
from savor.training.towers import build_tower

PACE = {"time_budget_seconds", "checkpoint_seconds"}
"""Options that do not change what a step does, so a training may go on with other values of them."""


@dataclass
class RunState:
    """Where a training stands, as JSON values.

    Attributes:
        epoch, step: the next step to take, within its pass.
        losses: sum of the losses of the pass so far.
        best: best validation metric so far; None before the first.
        stale: passes since then.
        finished: whether there is nothing left to do.
        seconds: time spent, over all processes.
        history: one object per finished pass.
    """

    epoch: int = 0
    step: int = 0
    losses: float = 0.0
    best: float | None = None
    stale: int = 0
    finished: bool = False
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


class RetrievalRun:
    """Takes steps; every step follows from the seed, its pass and its number alone.

    Args:
        examples: what to learn from.
        histories: those the examples were made with.
        space: makes the inputs.
        options: widths and pace.
        seed: of weights, order and dropout.
    """

    def __init__(
        self,
        examples: RetrievalExamples,
        histories: Histories,
        space: FeatureSpace,
        options: RetrievalOptions,
        seed: int,
    ) -> None:
        self.options, self.space = options, space
        self.batch = min(options.batch_size, len(examples))
        self.steps_per_epoch = len(examples) // self.batch
        self.state = RunState()
        self._examples, self._histories, self._seed = examples, histories, seed
        self.user = build_tower("user", space.user_signature, options, 2 * seed)
        self.item = build_tower("item", space.item_signature, options, 2 * seed + 1)
        self._optimizer = TowerOptimizer(
            self._weights,
            options.learning_rate,
            options.table_learning_rate,
            options.epochs * self.steps_per_epoch,
        )
        self._best: list[NDArray[Any]] | None = None
        self._order: tuple[int, NDArray[np.int64]] | None = None
        self._compiled = tf.function(self._update)

    @property
    def steps_done(self) -> int:
        """Steps since the beginning of the training."""
        return self.state.epoch * self.steps_per_epoch + self.state.step

    def step(self) -> float:
        """Take the next step; gives its loss.

        Raises:
            TrainingError: the loss is not a number.
        """
        rows = self._rows_of_step()
        user_inputs, item_inputs = self._inputs(rows)
        items = self._examples.item[rows]
        loss = float(self._compiled(user_inputs, item_inputs, items, self._examples.probability[items]))
        if not np.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {self.steps_done}: lower retrieval.learning_rate or raise "
                "retrieval.temperature"
            )
        self.state.step += 1
        self.state.losses += loss
        return loss

    def remember_best(self) -> None:
        """Keep the present weights as the best so far."""
        self._best = [np.array(weight.numpy()) for weight in self._weights]

    def take_best(self) -> None:
        """Put the best weights back, if any were kept."""
        if self._best is not None:
            self._assign(self._weights, self._best)

    def checkpoint(self) -> Checkpoint:
        """Everything that `restore` needs."""
        arrays = {f"weight/{number}": np.array(weight.numpy()) for number, weight in enumerate(self._weights)}
        arrays |= {
            f"optimizer/{number}": np.array(value.numpy()) for number, value in enumerate(self._optimizer.variables)
        }
        arrays |= {f"best/{number}": weight for number, weight in enumerate(self._best or [])}
        return Checkpoint(arrays, {"training": self._fingerprint(), **asdict(self.state)})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go to where `checkpoint` was taken.

        Raises:
            TrainingError: it was taken in a training with other data, options or seed.
        """
        state = dict(checkpoint.state)
        if state.pop("training") != self._fingerprint():
            raise TrainingError(
                "the checkpoint belongs to a training with other data, options or seed; start again without --resume"
            )
        arrays = checkpoint.arrays
        self.state = RunState(**state)
        self._assign(self._weights, [arrays[f"weight/{n}"] for n in range(len(self._weights))])
        variables = self._optimizer.variables
        self._assign(variables, [arrays[f"optimizer/{n}"] for n in range(len(variables))])
        self._best = [arrays[f"best/{n}"] for n in range(len(self._weights))] if "best/0" in arrays else None

    @property
    def _weights(self) -> list[Any]:
        return [*self.user.trainable_variables, *self.item.trainable_variables]

    @staticmethod
    def _assign(variables: list[Any], values: list[NDArray[Any]]) -> None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def _fingerprint(self) -> str:
        """Names the training: data, feature space, options that matter, and seed."""
        digest = sha256()
        for array in (self._examples.user, self._examples.item, self._examples.now, self._histories.item):
            digest.update(np.ascontiguousarray(array).data)
        signature = {**self.space.user_signature, **self.space.item_signature}
        described = {
            "data": digest.hexdigest(),
            "signature": {name: spec.to_json() for name, spec in signature.items()},
            "options": self.options.model_dump(mode="json", exclude=PACE),
            "seed": self._seed,
        }
        return sha256_json(described)

    def _rows_of_step(self) -> NDArray[np.int64]:
        """The examples of the next step: a random order per pass, cut into batches, the rest left for other passes."""
        if self._order is None or self._order[0] != self.state.epoch:
            order = np.random.default_rng([self._seed, self.state.epoch]).permutation(len(self._examples))
            self._order = (self.state.epoch, order)
        return self._order[1][self.state.step * self.batch : (self.state.step + 1) * self.batch]

    def _inputs(self, rows: NDArray[np.int64]) -> tuple[Inputs, Inputs]:
        """User and item inputs of the examples at `rows`, with what is hidden hidden."""
        examples = self._examples
        users = self.space.user_inputs(examples.user[rows], self._histories, examples.now[rows], examples.end[rows])
        items = self.space.item_inputs(examples.item[rows])
        rng = np.random.default_rng([self._seed, self.state.epoch, self.state.step])
        hide_behaviour(users, rng, self.options.feature_dropout, self.space.users.ids.buckets)
        hidden = rng.random(len(rows)) < self.options.item_dropout
        items["item_id"][hidden] = rng.integers(0, self.space.items.ids.buckets + 1, int(hidden.sum()))
        return users, items

    def _update(self, user_inputs: Any, item_inputs: Any, items: Any, probability: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = retrieval_loss(
                self.user(user_inputs, training=True),
                self.item(item_inputs, training=True),
                items,
                probability,
                self.options.temperature,
            )
        self._optimizer.apply(tape.gradient(loss, self._weights), self._weights)
        return loss


def hide_behaviour(inputs: Inputs, rng: np.random.Generator, share: float, buckets: int) -> None:
    """Make newcomers of a `share` of B users, in place: no history, and an id as if never seen or not given."""
    hidden = rng.random(len(inputs["history_item"])) < share
    for name in ("history_item", "history_category", "history_age"):
        if name in inputs:
            inputs[name][hidden] = 0
    if "user_id" in inputs:
        inputs["user_id"][hidden] = rng.integers(0, buckets + 1, int(hidden.sum()))
