"""Training of GMF, MLP and NeuMF."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.core.progress import progress
from savor.training.losses.binary_cross_entropy import binary_cross_entropy
from savor.training.losses.gbce import gbce, gbce_beta
from savor.training.losses.sampled_softmax import sampled_softmax
from savor.training.ncf.examples import PairExamples
from savor.training.ncf.networks import Kind, NcfNetworks, build_ncf
from savor.training.ncf.options import NcfOptions
from savor.training.tower_optimizer import TowerOptimizer
from savor.training.tracking.tracker import VALIDATION, Tracker

Measure = Callable[[NcfNetworks], float]
"""How good networks are on validation; higher is better."""

METRIC = "validation"


@dataclass(frozen=True)
class TrainedNcf:
    """The networks with the weights of the best pass.

    Attributes:
        networks: trained.
        history: one JSON object per pass: epoch, loss, and the measure.
        best_epoch: number of passes after which they were best.
    """

    networks: NcfNetworks
    history: list[dict[str, Any]]
    best_epoch: int


def train_ncf(
    kind: Kind,
    examples: PairExamples,
    options: NcfOptions,
    seed: int,
    *,
    measure: Measure | None = None,
    metric: str = METRIC,
    tracker: Tracker | None = None,
) -> TrainedNcf:
    """Fit against sampled negatives; a negative that the user chose too does not count.

    Args:
        kind: which network.
        examples: what was chosen.
        options: widths and pace.
        seed: of weights, order, negatives and dropout.
        measure: decides which pass was best and when to stop; without it the last pass counts.
        metric: what it is called in the history.
        tracker: is told the loss and the measure of each pass.

    Raises:
        TrainingError: there are too few examples, or the loss is not a number.
    """
    if len(examples) < 2 or len(examples.drawn) < 2:
        raise TrainingError(f"{kind} needs at least 2 examples of 2 items, and there are {len(examples)}")
    tf.config.experimental.enable_op_determinism()
    run = _Run(kind, examples, options, seed)
    history: list[dict[str, Any]] = []
    best, stale, best_epoch, kept = -np.inf, 0, options.epochs, None
    with progress(f"Training {kind}", options.epochs) as task:
        for epoch in range(options.epochs):
            loss = run.epoch(epoch)
            measured = measure(run.networks) if measure is not None else None
            history.append({"epoch": epoch + 1, "loss": loss, metric: measured})
            if tracker is not None:
                told = {} if measured is None else {f"{VALIDATION}{metric}": measured}
                tracker.scalars({"loss": loss, **told}, epoch + 1)
            task.advance(1, f"loss {loss:.4f}" + ("" if measured is None else f", {metric} {measured:.4f}"))
            if measured is None:
                continue
            if measured > best:
                best, stale, best_epoch, kept = measured, 0, epoch + 1, run.weights()
            else:
                stale += 1
            if stale >= options.patience:
                break
    if kept is not None:
        run.restore(kept)
    return TrainedNcf(run.networks, history, best_epoch)


class _Run:
    """Takes passes; every pass follows from the seed and its number."""

    def __init__(self, kind: Kind, examples: PairExamples, options: NcfOptions, seed: int) -> None:
        self._examples, self._options, self._seed = examples, options, seed
        self.networks = build_ncf(kind, examples.users, examples.items, options, seed)
        self._batch = min(options.batch_size, len(examples))
        self._steps = len(examples) // self._batch
        self._variables = list(self.networks.pair.trainable_variables)
        self._optimizer = TowerOptimizer(
            self._variables, options.learning_rate, options.table_learning_rate, options.epochs * self._steps
        )
        self._log_chance = np.zeros(examples.items, np.float32)
        self._log_chance[examples.drawn] = np.log(examples.chance)
        self._beta = gbce_beta(options.negatives, max(examples.items, 2), options.gbce_t)
        self._compiled = tf.function(self._update)

    def weights(self) -> list[NDArray[Any]]:
        """Copies of all weights."""
        return [np.array(variable.numpy()) for variable in self._variables]

    def restore(self, weights: list[NDArray[Any]]) -> None:
        """Put back what `weights` gave."""
        for variable, value in zip(self._variables, weights, strict=True):
            variable.assign(value)

    def epoch(self, number: int) -> float:
        """One pass; gives the mean loss.

        Raises:
            TrainingError: the loss is not a number.
        """
        rng = np.random.default_rng([self._seed, number])
        order = rng.permutation(len(self._examples))
        total = 0.0
        for step in range(self._steps):
            rows = order[step * self._batch : (step + 1) * self._batch]
            user, item = self._examples.user[rows], self._examples.item[rows]
            negative = self._examples.negatives(len(rows), self._options.negatives, rng)
            chosen = self._examples.chosen(user, negative)
            total += float(self._compiled(user, item, negative, chosen, self._log_chance[negative]))
        if not np.isfinite(total):
            raise TrainingError(f"the loss of pass {number + 1} is not a number: lower ncf.learning_rate")
        return total / self._steps

    def _update(self, user: Any, item: Any, negative: Any, chosen: Any, log_chance: Any) -> Any:
        options, width = self._options, self._options.negatives + 1
        with tf.GradientTape() as tape:
            items = ops.concatenate([ops.expand_dims(item, 1), negative], axis=1)
            inputs = {"user_id": ops.repeat(user, width), "item_id": ops.reshape(items, (-1,))}
            scores = ops.reshape(self.networks.pair(inputs, training=True), (-1, width))
            first, others = scores[:, 0], scores[:, 1:]
            if options.loss == "sampled_softmax":
                losses = sampled_softmax(first, others, log_q_negative=log_chance, accidental=chosen)
            elif options.loss == "gbce":
                losses = gbce(first, others, beta=self._beta, accidental=chosen)
            else:
                losses = binary_cross_entropy(first, others, accidental=chosen)
            loss = ops.mean(losses)
            if options.regularisation:
                ids = {"user": user, "item": item}
                squares = [
                    ops.mean(ops.sum(ops.square(layer(ids[layer.name.split("_")[1]])), axis=1))
                    for layer in self.networks.vectors
                ]
                loss += options.regularisation * sum(squares)
        self._optimizer.apply(tape.gradient(loss, self._variables), self._variables)
        return loss
