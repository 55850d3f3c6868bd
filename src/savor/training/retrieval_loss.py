"""From vectors and candidates to the loss of each example."""

from dataclasses import dataclass
from typing import Any, Literal

import tensorflow as tf

from savor.training.losses.binary_cross_entropy import binary_cross_entropy
from savor.training.losses.cross_entropy import cross_entropy
from savor.training.losses.gbce import gbce
from savor.training.losses.hidden import HIDDEN
from savor.training.losses.triplet import triplet

LossName = Literal["softmax", "full_softmax", "gbce", "bce", "triplet"]


@dataclass(frozen=True)
class RetrievalLoss:
    """One of the losses over the arrays of `Candidates`.

    Attributes:
        name: which.
        temperature: what inner products are divided by, except for `triplet`.
        margin: of `triplet`.
        t: of `gbce`.
        number_of_items: I, for `gbce`.
    """

    name: LossName
    temperature: float
    margin: float
    t: float
    number_of_items: int

    def __call__(self, users: Any, items: Any, arrays: dict[str, Any], *, inside: bool) -> Any:
        """(B,) float32 losses.

        Args:
            users: (B, D) float32 vectors.
            items: (V, D) float32 vectors of the items of `Candidates`.
            arrays: the other attributes of `Candidates` by name, as tensors.
            inside: its `inside`.
        """
        if self.name != "triplet":
            users = users / self.temperature
        shared = tf.matmul(users, items[: arrays["shared"]], transpose_b=True) + arrays["bias"]
        shared = tf.tensor_scatter_nd_add(shared, arrays["pairs"], arrays["pair_bias"])
        parts = [shared]
        if arrays["own"].shape[1] != 0:
            own = tf.einsum("bd,bmd->bm", users, tf.gather(items, arrays["own"]))
            parts.append(own + arrays["own_bias"])
        if self.name in ("softmax", "full_softmax") and inside:
            return cross_entropy(_joined(parts), arrays["positive"])
        positive = tf.reduce_sum(users * tf.gather(items, arrays["positive"]), axis=1) + arrays["positive_bias"]
        if self.name in ("softmax", "full_softmax"):
            return cross_entropy(_joined([positive[:, None], *parts]), tf.zeros_like(arrays["positive"]))
        negative = _joined(parts)
        hidden = negative < HIDDEN / 2
        if inside:
            place = tf.range(tf.shape(negative)[1])
            hidden = tf.logical_or(hidden, arrays["positive"][:, None] == place)
        match self.name:
            case "bce":
                return binary_cross_entropy(positive, negative, accidental=hidden)
            case "gbce":
                return gbce(positive, negative, beta=self._beta(hidden), accidental=hidden)
            case _:
                return triplet(positive, negative, self.margin, accidental=hidden)

    def _beta(self, hidden: Any) -> Any:
        """(B,) β by how many negatives each example has; see `gbce_beta`."""
        negatives = tf.reduce_sum(tf.cast(tf.logical_not(hidden), tf.float32), axis=1)
        share = tf.clip_by_value(negatives / (self.number_of_items - 1), 1e-9, 1.0)
        return share * (self.t * (1 - 1 / share) + 1 / share)


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=1)
