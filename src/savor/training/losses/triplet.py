"""The hinge between what was chosen and each negative."""

from typing import Any

from keras import ops

from savor.training.losses.hidden import mean_over_negatives


def triplet(positive: Any, negative: Any, margin: float, *, accidental: Any | None = None) -> Any:
    """Mean of `max(0, margin - p + n)` over the negatives of each example.

    Schroff et al. 2015, "FaceNet", equation 2, in inner products: for vectors of length 1 the squared distance is
    `2 - 2 × inner product`, so this is half their loss with half their margin.

    Args:
        positive: (N,) float32 inner products with what was chosen.
        negative: (N, M) float32 inner products with the negatives.
        margin: by how much a positive must be above a negative.
        accidental: (N, M) bool, negatives that must not count; None for none.

    Returns:
        (N,) float32.
    """
    losses = ops.relu(margin - ops.expand_dims(positive, 1) + negative)
    return mean_over_negatives(losses, accidental)
