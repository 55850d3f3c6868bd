"""One update of both towers, compiled."""

from typing import Any

import numpy as np
import tensorflow as tf

from savor.training.mixed_precision import Precision, bfloat16_products, is_worth_it
from savor.training.retrieval_batches import Batch
from savor.training.retrieval_loss import RetrievalLoss
from savor.training.tower_optimizer import TowerOptimizer

PER_EXAMPLE = ("positive", "positive_bias", "own", "own_bias", "weight")


class TowerStep:
    """Takes a batch, changes the weights, gives the loss.

    With R replicas each computes the vectors of an R-th of the users and of the items, all gather the items' vectors,
    and each holds its users against all of them. So the candidates of an example are those of the whole batch, and the
    sum of the replicas' losses and gradients is that of one device with the whole batch, up to the order of additions.

    Args:
        user, item: the towers.
        optimizer: of their weights, user's first.
        loss: over the arrays of `Candidates`.
        strategy: in whose scope the others were made.
        inside: whether the positives are among the shared candidates.
        precision: of the dense layers.
    """

    def __init__(
        self,
        user: Any,
        item: Any,
        optimizer: TowerOptimizer,
        loss: RetrievalLoss,
        strategy: Any,
        *,
        inside: bool,
        precision: Precision = "none",
    ) -> None:
        self._user, self._item, self._optimizer, self._loss = user, item, optimizer, loss
        self._strategy, self._inside, self._low = strategy, inside, is_worth_it(precision)
        self._compiled: Any = None

    def __call__(self, batch: Batch) -> float:
        """Take a step; gives the mean loss over the examples by weight."""
        if self._compiled is None:
            # Numbers of examples, items and pairs differ from batch to batch; the widths do not.
            signature = tf.nest.map_structure(
                lambda array: tf.TensorSpec((None, *np.shape(array)[1:]) if np.ndim(array) else (), array.dtype), batch
            )
            self._compiled = tf.function(self._on_all_replicas, input_signature=[signature], autograph=False)
        return float(self._compiled(batch))

    def _on_all_replicas(self, batch: Any) -> Any:
        losses = self._strategy.run(self._on_one_replica, (batch,))
        return self._strategy.reduce("SUM", losses, axis=None)

    def _on_one_replica(self, batch: Any) -> Any:
        context = tf.distribute.get_replica_context()
        replicas, here = context.num_replicas_in_sync, context.replica_id_in_sync_group
        weights = [*self._user.trainable_variables, *self._item.trainable_variables]
        total = tf.reduce_sum(batch["weight"])
        arrays = dict(batch)
        if replicas > 1:
            arrays = _share(batch, replicas, here)
        with tf.GradientTape() as tape:
            if self._low:
                with bfloat16_products(self._user, self._item):
                    users, items = self._vectors(arrays)
            else:
                users, items = self._vectors(arrays)
            if replicas > 1:
                items = context.all_gather(items, 0)
            losses = self._loss(users, items, arrays, inside=self._inside)
            loss = tf.reduce_sum(losses * arrays["weight"]) / total
        self._optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    def _vectors(self, arrays: Any) -> tuple[Any, Any]:
        return self._user(arrays["user"], training=True), self._item(arrays["item"], training=True)


def _share(batch: Any, replicas: int, here: Any) -> Any:
    """What replica `here` of `replicas` works on: its users, its items, and the pairs of its users."""

    def cut(array: Any) -> Any:
        rows = tf.shape(array)[0] // replicas
        return array[here * rows : (here + 1) * rows]

    share = {**batch, **tf.nest.map_structure(cut, {name: batch[name] for name in ("user", "item", *PER_EXAMPLE)})}
    rows = tf.shape(share["weight"])[0]
    mine = batch["pairs"][:, 0] // rows == here
    share["pairs"] = tf.boolean_mask(batch["pairs"], mine) - tf.stack([here * rows, 0])
    share["pair_bias"] = tf.boolean_mask(batch["pair_bias"], mine)
    return share
