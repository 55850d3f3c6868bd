"""Training of the cross network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.core.progress import progress
from savor.evaluation.ranking_head import log_loss
from savor.features.input_spec import InputSpec
from savor.features.table_encoder import Inputs
from savor.training.cross_network.examples import CrossExamples
from savor.training.cross_network.multi_task_loss import choice_loss, multi_task_loss, rating_loss
from savor.training.cross_network.network import CrossNetworks, build_cross_network
from savor.training.cross_network.options import DcnOptions
from savor.training.losses.in_batch_softmax import in_batch_softmax
from savor.training.losses.weights import class_weights
from savor.training.tracking.tracker import Tracker

PREDICTION_BATCH = 8192
NEVER_A_NEGATIVE = 1e9
"""Given as how often padding is drawn, it takes padding out of the softmax."""


@dataclass(frozen=True)
class TrainedCrossNetwork:
    """A trained network and how it came about.

    Attributes:
        networks: with the weights of the best pass.
        rating_mean, rating_scale: the rating is `rating_mean + rating_scale × head`; 0 and 1 where none was known.
        history: one JSON object per pass.
    """

    networks: CrossNetworks
    rating_mean: float
    rating_scale: float
    history: list[dict[str, float]]

    def predict(self, inputs: Inputs) -> NDArray[np.float32]:
        """(N, 2) float32: the chance of choice and the standardised rating."""
        return np.asarray(self.networks.served.predict(inputs, PREDICTION_BATCH, verbose=0), np.float32)


def train_cross_network(
    examples: CrossExamples,
    signature: Mapping[str, InputSpec],
    options: DcnOptions,
    seed: int,
    *,
    validation: CrossExamples | None = None,
    passes: int | None = None,
    tracker: Tracker | None = None,
    title: str = "cross network",
) -> TrainedCrossNetwork:
    """Fit by Adam with decoupled weight decay; the pass with the least validation loss counts.

    Args:
        examples: what to learn from.
        signature: of their inputs, see `build_cross_network`.
        options: structure and pace.
        seed: of weights, order, dropout and what is set aside.
        validation: decides which pass was best; absent, a share of the questions of `examples` is set aside for it.
        passes: end after so many, and take the last, whatever the validation says; the pace is that of all
            `options.epochs`.
        tracker: is told the losses of each pass.
        title: what the progress bar says.

    Raises:
        TrainingError: there is nothing to tell apart, or the loss is not a number.
    """
    tf.config.experimental.enable_op_determinism()
    if not 0 < examples.label.sum() < len(examples):
        raise TrainingError(
            f"the ranker needs candidates that were chosen and others that were not; of {len(examples)} candidates "
            f"{int(examples.label.sum())} were chosen: give it more data or longer windows (ranking.window_days)"
        )
    if validation is None:
        examples, validation = examples.set_aside(options.validation_share, seed)
    run = _Run(examples, signature, options, seed)
    history: list[dict[str, float]] = []
    best, stale, kept = np.inf, 0, run.weights()
    with progress(title, options.epochs) as task:
        for epoch in range(passes or options.epochs):
            loss = run.epoch(epoch)
            measured = run.validation_loss(validation)
            history.append({"epoch": epoch + 1, "loss": loss, "validation_loss": measured})
            if tracker is not None:
                tracker.scalars({"loss": loss, "validation/negative_loss": -measured}, epoch + 1)
            task.advance(1, f"loss {loss:.4f}, validation {measured:.4f}")
            if measured < best:
                best, stale, kept = measured, 0, run.weights()
            else:
                stale += 1
            if stale >= options.patience and passes is None:
                break
    if passes is None:
        run.restore(kept)
    return TrainedCrossNetwork(run.networks, run.rating_mean, run.rating_scale, history)


class _Run:
    """Takes passes; every pass follows from the seed and its number."""

    def __init__(
        self, examples: CrossExamples, signature: Mapping[str, InputSpec], options: DcnOptions, seed: int
    ) -> None:
        self._options, self._seed = options, seed
        self._examples = examples
        known = np.isfinite(examples.rating)
        self.rating_mean = float(examples.rating[known].mean()) if known.any() else 0.0
        self.rating_scale = float(examples.rating[known].std()) if known.any() else 1.0
        self.rating_scale = self.rating_scale if self.rating_scale > 1e-6 else 1.0
        labels = examples.label.astype(np.int64)
        balanced = options.class_weights == "balanced"
        self._class_weights = class_weights(labels, 2) if balanced else np.ones(2, np.float32)
        shift = float(np.log(self._class_weights[1] / self._class_weights[0]))
        self.networks = build_cross_network(signature, options, seed, log_odds_shift=shift)
        self._batch = min(options.batch_size, len(examples))
        self._steps = len(examples) // self._batch
        rate = keras.optimizers.schedules.CosineDecay(options.learning_rate, options.epochs * self._steps, alpha=0.1)
        self._optimizer = keras.optimizers.AdamW(rate, weight_decay=options.weight_decay)
        self._variables = list(self.networks.heads.trainable_variables)
        if options.joint:
            held = {id(variable) for variable in self._variables}
            for side in (self.networks.user, self.networks.item):
                assert side is not None
                self._variables += [one for one in side.trainable_variables if id(one) not in held]
            chosen = examples.inputs["item_id"][labels == 1]
            counts = np.bincount(chosen, minlength=int(examples.inputs["item_id"].max()) + 1)
            self._probability = (counts / max(len(chosen), 1)).astype(np.float32)
        self._optimizer.build(self._variables)
        self._compiled = tf.function(self._update, reduce_retracing=True)

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
        order = np.random.default_rng([self._seed, number]).permutation(len(self._examples))
        total = 0.0
        for step in range(self._steps):
            rows = order[step * self._batch : (step + 1) * self._batch]
            batch = self._examples.select(rows)
            weight = self._class_weights[batch.label.astype(np.int64)]
            total += float(self._compiled(*self._arrays(batch), weight, *self._retrieval(batch)))
        if not np.isfinite(total):
            raise TrainingError(f"the loss of pass {number + 1} is not a number: lower dcn.learning_rate")
        return total / self._steps

    def validation_loss(self, validation: CrossExamples) -> float:
        """`α` times the squared error of the rating plus `β` times the log-loss, without class weights."""
        predicted = np.asarray(self.networks.served.predict(validation.inputs, PREDICTION_BATCH, verbose=0))
        known = np.isfinite(validation.rating)
        found = self._options.beta * log_loss(validation.label > 0, predicted[:, 0])
        if known.any() and self._options.alpha:
            standard = (validation.rating[known] - self.rating_mean) / self.rating_scale
            found += self._options.alpha * float(np.square(predicted[known, 1] - standard).mean())
        return found

    def _arrays(self, batch: CrossExamples) -> tuple[Any, ...]:
        known = np.isfinite(batch.rating)
        rating = np.where(known, (batch.rating - self.rating_mean) / self.rating_scale, 0).astype(np.float32)
        return batch.inputs, batch.label, rating, known.astype(np.float32)

    def _retrieval(self, batch: CrossExamples) -> tuple[Any, ...]:
        """Rows of the chosen pairs padded to the batch, their weight (0 for padding), and how often each is drawn."""
        if not self._options.joint:
            return ()
        chosen = np.flatnonzero(batch.label)
        padded = np.zeros(len(batch), np.int32)
        padded[: len(chosen)] = chosen
        weight = np.zeros(len(batch), np.float32)
        weight[: len(chosen)] = 1
        probability = np.where(weight > 0, self._probability[batch.inputs["item_id"][padded]], NEVER_A_NEGATIVE)
        return padded, weight, probability.astype(np.float32)

    def _update(self, inputs: Any, label: Any, rating: Any, known: Any, weight: Any, *retrieval: Any) -> Any:
        with tf.GradientTape() as tape:
            heads = self.networks.heads(inputs, training=True)
            found = ops.zeros(())
            if retrieval:
                rows, counted, probability = retrieval
                chosen = {name: ops.take(values, rows, axis=0) for name, values in inputs.items()}
                losses = in_batch_softmax(
                    _side(self.networks.user, chosen),
                    _side(self.networks.item, chosen),
                    chosen["item_id"],
                    probability,
                    self._options.temperature,
                )
                found = ops.sum(losses * counted) / ops.maximum(ops.sum(counted), 1.0)
            loss = multi_task_loss(
                found,
                rating_loss(heads[:, 1], rating, known),
                choice_loss(heads[:, 0], label, weight),
                alpha=self._options.alpha,
                beta=self._options.beta,
            )
        self._optimizer.apply(tape.gradient(loss, self._variables), self._variables)
        return loss


def _side(network: Any, inputs: Any) -> Any:
    """The vectors of one side, given the inputs of both."""
    return network({name: inputs[name] for name in network.input}, training=True)
