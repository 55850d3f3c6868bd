"""The moving parts of a sequence model's training."""

from dataclasses import asdict
from hashlib import sha256
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from savor.core.errors import TrainingError
from savor.core.hashing import sha256_json
from savor.data.histories import Histories
from savor.features.feature_space import FeatureSpace
from savor.features.table_encoder import Inputs
from savor.training.checkpoints import Checkpoint
from savor.training.retrieval_run import RunState
from savor.training.sequence.batch import Batch
from savor.training.sequence.networks import as_read, build_item_networks, build_layer, build_user_network, finish
from savor.training.sequence.objective import mean_loss
from savor.training.sequence.options import SequenceOptions
from savor.training.sequence.windows import Windows, reach

TOKENS_AT_ONCE = 16384


class SequenceRun:
    """Takes steps; every step follows from the seed, its pass, its number and the state of the random generators.

    Args:
        model: `transformer` or `gru`.
        histories: what to learn from.
        space: makes the item inputs.
        options: of the model.
        epochs: most passes, over which the learning rate falls.
        seed: of weights, order, windows, negatives and dropout.
    """

    def __init__(
        self, model: str, histories: Histories, space: FeatureSpace, options: SequenceOptions, epochs: int, seed: int
    ) -> None:
        self.options, self.space, self.epochs = options, space, epochs
        self.state = RunState()
        self._model, self._histories, self._seed = model, histories, seed
        self._length = space.options.history_length
        self._items = build_item_networks(space.item_signature, options, 2 * seed)
        self._layer = build_layer(model, options, self._length, options.precision, 2 * seed + 1)
        self._layer(tf.zeros((1, 2, options.width)), tf.ones((1, 2), tf.bool), tf.zeros((1, 2), tf.int32))
        self._reach = reach(histories, options.horizon_days) if options.objective == "all_action" else None
        self._every = np.arange(space.number_of_items, dtype=np.int32)
        self._every_input = {key: space.item_inputs(self._every)[key] for key in self._items.parts.input}
        self._best: list[NDArray[Any]] | None = None
        self._pass: tuple[int, Windows, list[NDArray[np.int64]]] | None = None
        self._optimizer = self._build_optimizer()
        self._compiled = tf.function(self._update, input_signature=self._signature(), autograph=False)
        self._encoded = tf.function(self._encode, reduce_retracing=True, autograph=False)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of the present pass; passes differ by a few, as windows are drawn anew."""
        return len(self._this_pass()[1])

    @property
    def steps_done(self) -> int:
        """Steps since the beginning of the training."""
        return int(self._optimizer.iterations)

    def step(self) -> tuple[float, int]:
        """Take the next step; gives its loss and how many predictions it learnt from.

        Raises:
            TrainingError: the loss is not a number.
        """
        windows, batches = self._this_pass()
        rng = np.random.default_rng([self._seed, self.state.epoch, self.state.step, 1])
        batch = Batch.of(self._histories, windows, batches[self.state.step], self._reach, rng)
        loss = float(self._compiled(*self._arguments(batch, rng)))
        if not np.isfinite(loss):
            raise TrainingError(f"the loss is {loss} at step {self.steps_done}: lower sequence.learning_rate")
        self.state.step += 1
        self.state.losses += loss
        return loss, int(np.count_nonzero(batch.target >= 0))

    def user_vectors(self, inputs: Inputs) -> NDArray[np.float32]:
        """(B, D) vectors of users by the inputs of their histories."""
        table = tf.constant(self.history_table())
        lengths = np.maximum((inputs["history_age"] != 0).sum(1), 1)
        order = np.argsort(lengths, kind="stable")
        rows = np.empty((len(order), self._items.item.output_shape[-1]), np.float32)
        first = 0
        while first < len(order):
            count = max(1, TOKENS_AT_ONCE // int(lengths[order[first]]))
            here = order[first : first + count]
            longest = int(lengths[here[-1]])
            cut = {key: inputs[key][here, :longest] for key in self._history_inputs}
            seconds = cut.get("history_seconds", np.zeros((1, 1), np.int32))
            rows[here] = self._encoded(table, cut["history_item"], cut["history_age"] != 0, seconds).numpy()
            first += count
        return rows

    def item_vectors(self) -> NDArray[np.float32]:
        """(I, D) vectors of all items."""
        return np.asarray(self._items.item(self._every_input), np.float32)

    def history_table(self) -> NDArray[np.float32]:
        """(C, W) what the layer reads by item code: of an item's embedding, or the mean of those that share a code."""
        codes = np.arange(self.space.items.ids.cardinality, dtype=np.int32)
        unknown = self.space.item_inputs(np.full(len(codes), -1, np.int32))
        unknown["item_id"] = codes
        table = np.asarray(self._items.parts({key: unknown[key] for key in self._items.parts.input})[0])
        found = np.asarray(self._items.parts(self._every_input)[0])
        code = self.space.item_table["item_id"]
        shared = np.bincount(code, minlength=len(codes))
        total = np.zeros_like(table)
        np.add.at(total, code, found)
        table = np.where(shared[:, None] > 0, total / np.maximum(shared, 1)[:, None], table)
        return np.asarray(as_read(table, self.options), np.float32)

    def networks(self) -> tuple[Any, Any]:
        """The user and the item network, as a bundle has them."""
        exact = build_layer(self._model, self.options, self._length, "float32", 2 * self._seed + 1)
        user = build_user_network(exact, self.space.user_signature, self.options, self.history_table())
        for after, before in zip(exact.trainable_variables, self._layer.trainable_variables, strict=True):
            after.assign(before)
        return user, self._items.item

    def remember_best(self) -> None:
        """Keep the present weights as the best so far."""
        self._best = [np.array(weight.numpy()) for weight in self._weights]

    def take_best(self) -> None:
        """Put the best weights back, if any were kept."""
        if self._best is not None:
            _assign(self._weights, self._best)

    def checkpoint(self) -> Checkpoint:
        """Everything that `restore` needs."""
        arrays = {f"state/{number}": np.array(value.numpy()) for number, value in enumerate(self._everything)}
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
        _assign(self._everything, [arrays[f"state/{number}"] for number in range(len(self._everything))])
        self._best = [arrays[f"best/{n}"] for n in range(len(self._weights))] if "best/0" in arrays else None

    @property
    def _history_inputs(self) -> list[str]:
        return ["history_item", "history_age", *(["history_seconds"] if self.options.time else [])]

    @property
    def _weights(self) -> list[Any]:
        return [*self._items.item.trainable_variables, *self._layer.trainable_variables]

    @property
    def _everything(self) -> list[Any]:
        """Weights, the state of the random generators, and the optimizer's, in a fixed order."""
        return [*self._items.item.variables, *self._layer.variables, *self._optimizer.variables]

    def _build_optimizer(self) -> Any:
        options = self.options
        steps = self.epochs * self.steps_per_epoch
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if options.warmup_steps else options.learning_rate,
            max(steps - options.warmup_steps, 1),
            alpha=0.05,
            warmup_target=options.learning_rate if options.warmup_steps else None,
            warmup_steps=options.warmup_steps,
        )
        optimizer = keras.optimizers.AdamW(rate, weight_decay=options.weight_decay, beta_2=0.98, epsilon=1e-8)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gain", "start"])
        optimizer.build(self._weights)
        return optimizer

    def _fingerprint(self) -> str:
        """Names the training: data, feature space, options and seed."""
        digest = sha256()
        for array in (self._histories.indptr, self._histories.item, self._histories.time):
            digest.update(np.ascontiguousarray(array).data)
        signature = {**self.space.user_signature, **self.space.item_signature}
        described = {
            "data": digest.hexdigest(),
            "signature": {name: spec.to_json() for name, spec in signature.items()},
            "model": self._model,
            "options": self.options.model_dump(mode="json"),
            "epochs": self.epochs,
            "seed": self._seed,
        }
        return sha256_json(described)

    def _this_pass(self) -> tuple[Windows, list[NDArray[np.int64]]]:
        """The windows of the present pass, and which of them make up each of its batches."""
        if self._pass is None or self._pass[0] != self.state.epoch:
            rng = np.random.default_rng([self._seed, self.state.epoch])
            windows = Windows.draw(self._histories, self._length, self.options.random_windows, rng)
            self._pass = (self.state.epoch, windows, windows.batches(self.options.batch_tokens, rng))
        return self._pass[1:]

    def _arguments(self, batch: Batch, rng: np.random.Generator) -> tuple[Any, ...]:
        """What `_update` takes: inputs of the items of the step, and the batch by their numbers among these."""
        history: NDArray[np.int32]
        target: NDArray[np.int32]
        if self.options.loss == "full_softmax":
            inputs, history, target = self._every_input, batch.item, batch.target
            drawn = np.empty(0, np.int32)
        else:
            negatives = rng.integers(0, len(self._every), self.options.negatives, dtype=np.int32)
            sizes = [batch.item.size, batch.item.size + batch.target.size]
            together = np.concatenate([batch.item.ravel(), batch.target.ravel(), negatives])
            rows = np.unique(together[together >= 0])
            place = np.where(together >= 0, np.searchsorted(rows, together), -1).astype(np.int32)
            history, target = (part.reshape(batch.item.shape) for part in np.split(place, sizes)[:2])
            drawn = place[sizes[1] :]
            every = self.space.item_inputs(rows)
            inputs = {key: every[key] for key in self._every_input}
        if self.options.items == "all" and self.options.item_dropout:
            hidden = rng.random(len(inputs["item_id"])) < self.options.item_dropout
            bucket = rng.integers(1, self.space.items.ids.buckets + 1, len(hidden), dtype=np.int32)
            inputs = {**inputs, "item_id": np.where(hidden, bucket, inputs["item_id"]).astype(np.int32)}
        return inputs, history, target, batch.seconds, drawn

    def _signature(self) -> list[Any]:
        """So that one graph does for batches of any shape."""
        inputs = {key: tf.TensorSpec((None, *value.shape[1:]), value.dtype) for key, value in self._every_input.items()}
        windows = tf.TensorSpec((None, None), tf.int32)
        return [inputs, windows, windows, windows, tf.TensorSpec((None,), tf.int32)]

    def _update(self, inputs: Any, history: Any, target: Any, seconds: Any, drawn: Any) -> Any:
        """One step on items by the numbers of their rows in `inputs`; -1 is none. Gives the loss."""
        with tf.GradientTape() as tape:
            embeddings, bias = self._items.parts(inputs, training=True)
            events = as_read(tf.gather(embeddings, tf.maximum(history, 0)), self.options)
            states = self._layer(events, history >= 0, seconds, training=True)
            wanted = tf.where(target >= 0)
            loss = mean_loss(
                tf.gather_nd(states, wanted),
                embeddings,
                bias,
                tf.gather_nd(target, wanted),
                drawn,
                self.options,
                len(self._every),
            )
        weights = self._weights
        gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, weights)]
        self._optimizer.apply(gradients, weights)
        return loss

    def _encode(self, table: Any, items: Any, present: Any, seconds: Any) -> Any:
        states = self._layer(tf.gather(table, items), present, seconds, newest_only=True)
        return finish(states[:, 0], self.options)


def _assign(variables: list[Any], values: list[NDArray[Any]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
