"""The moving parts of a two-tower training: networks, optimizer, and where it stands."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.core.hashing import sha256_json
from savor.features.feature_space import FeatureSpace
from savor.features.table_encoder import Inputs
from savor.training.checkpoints import Checkpoint
from savor.training.example_source import ExampleSource
from savor.training.negatives.plan import NegativePlan
from savor.training.retrieval_batches import RetrievalBatches
from savor.training.retrieval_loss import RetrievalLoss
from savor.training.tower_optimizer import TowerOptimizer
from savor.training.tower_step import TowerStep
from savor.training.towers import build_tower
from savor.training.trained_towers import item_vectors
from savor.training.two_tower_options import TwoTowerOptions


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
        source: what to learn from.
        space: makes the inputs.
        options: widths, pace, loss, precision.
        plan: the negatives.
        seed: of weights, order, dropout and negatives.
        strategy: `tf.distribute.Strategy` that divides each batch; None for one device.
    """

    def __init__(
        self,
        source: ExampleSource,
        space: FeatureSpace,
        options: TwoTowerOptions,
        plan: NegativePlan,
        seed: int,
        strategy: Any | None = None,
    ) -> None:
        retrieval = options.retrieval
        self.options, self.space = retrieval, space
        self.batch = min(retrieval.batch_size, len(source))
        self.steps_per_epoch = len(source) // self.batch
        self.state = RunState()
        self._source, self._plan, self._seed, self._described = source, plan, seed, options.described()
        self._divided = strategy is not None
        strategy = strategy or tf.distribute.get_strategy()
        with strategy.scope():
            self.user = build_tower("user", space.user_signature, retrieval, 2 * seed)
            self.item = build_tower("item", space.item_signature, retrieval, 2 * seed + 1)
            self._optimizer = TowerOptimizer(
                self._weights,
                retrieval.learning_rate,
                retrieval.table_learning_rate,
                retrieval.epochs * self.steps_per_epoch,
            )
        self._best: list[NDArray[Any]] | None = None
        replicas = strategy.num_replicas_in_sync
        self._batches = RetrievalBatches(source, space, plan.candidates(), retrieval, seed, self.batch, replicas)
        loss = RetrievalLoss(
            retrieval.loss, retrieval.temperature, retrieval.margin, retrieval.gbce_calibration, space.number_of_items
        )
        self._step = TowerStep(
            self.user,
            self.item,
            self._optimizer,
            loss,
            strategy,
            inside=plan.candidates().inside,
            precision=options.training.mixed_precision,
        )

    @property
    def steps_done(self) -> int:
        """Steps since the beginning of the training."""
        return self.state.epoch * self.steps_per_epoch + self.state.step

    def step(self) -> float:
        """Take the next step; gives its loss.

        Raises:
            TrainingError: the loss is not a number.
        """
        if self._plan.is_due(self.steps_done):
            self._plan.refresh(item_vectors(self.space, self.item_vectors))
            self._batches.candidates = self._plan.candidates()
        batch = self._batches.get(self.state.epoch, self.state.step)
        following = self.steps_done + 1
        if following < self.options.epochs * self.steps_per_epoch and not self._plan.is_due(following):
            self._batches.prepare(*divmod(following, self.steps_per_epoch))
        loss = self._step(batch)
        if not np.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {self.steps_done}: lower retrieval.learning_rate or raise "
                "retrieval.temperature"
            )
        self.state.step += 1
        self.state.losses += loss
        return loss

    def user_vectors(self, inputs: Inputs) -> NDArray[np.float32]:
        """(B, D) float32 vectors of users, by the present weights."""
        return self._vectors(self.user, inputs)

    def item_vectors(self, inputs: Inputs) -> NDArray[np.float32]:
        """(B, D) float32 vectors of items, by the present weights."""
        return self._vectors(self.item, inputs)

    def networks(self) -> tuple[Any, Any]:
        """The user and the item network with the present weights, on a single device."""
        if not self._divided:
            return self.user, self.item
        user = build_tower("user", self.space.user_signature, self.options, 0)
        item = build_tower("item", self.space.item_signature, self.options, 0)
        self._assign(
            [*user.trainable_variables, *item.trainable_variables], [np.array(w.numpy()) for w in self._weights]
        )
        return user, item

    def _vectors(self, network: Any, inputs: Inputs) -> NDArray[np.float32]:
        # Under a strategy, `predict_on_batch` gives the rows of all replicas.
        return np.asarray(network(inputs) if self._divided else network.predict_on_batch(inputs), np.float32)

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
        arrays |= {f"negatives/{name}": array for name, array in self._plan.arrays().items()}
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
        negatives = {
            name[len("negatives/") :]: array for name, array in arrays.items() if name.startswith("negatives/")
        }
        self._plan.restore(negatives)
        self._batches.candidates = self._plan.candidates()

    @property
    def _weights(self) -> list[Any]:
        return [*self.user.trainable_variables, *self.item.trainable_variables]

    @staticmethod
    def _assign(variables: list[Any], values: list[NDArray[Any]]) -> None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def _fingerprint(self) -> str:
        """Names the training: data, feature space, options that matter, and seed."""
        signature = {**self.space.user_signature, **self.space.item_signature}
        described = {
            "data": self._source.digest(),
            "signature": {name: spec.to_json() for name, spec in signature.items()},
            "options": self._described,
            "seed": self._seed,
        }
        return sha256_json(described)
