"""Binary cross-entropy whose overconfidence from sampling is taken back."""

from typing import Any

from keras import ops

from savor.training.losses.hidden import mean_over_negatives


def gbce(positive: Any, negative: Any, *, beta: float, accidental: Any | None = None) -> Any:
    """`-(log σ(p)^β + Σ log(1 - σ(n))) / (M + 1)` per example.

    Petrov and Macdonald 2023, "gSASRec: reducing overconfidence in sequential recommendation trained with negative
    sampling", equation 14. With β = 1 it is the binary cross-entropy.

    Args:
        positive: (N,) float32 scores of what was chosen.
        negative: (N, M) float32 scores of uniformly drawn negatives.
        beta: what `gbce_beta` gives.
        accidental: (N, M) bool, negatives that must not count; None for none.

    Returns:
        (N,) float32.
    """
    losses = ops.softplus(negative)
    total = mean_over_negatives(losses, accidental)
    if accidental is None:
        count = ops.cast(ops.shape(negative)[1], losses.dtype)
    else:
        count = ops.sum(ops.cast(ops.logical_not(accidental), losses.dtype), axis=1)
    return (beta * ops.softplus(-positive) + total * count) / (count + 1.0)


def gbce_beta(negatives: int, items: int, t: float) -> float:
    """β for `negatives` drawn from the `items` - 1 others: `α (t (1 - 1/α) + 1/α)`, α being the share drawn.

    Args:
        negatives: per example.
        items: of the catalogue, at least 2.
        t: 0 leaves the binary cross-entropy as it is, 1 makes its probabilities those of no sampling at all.

    Returns:
        A number in (0, 1].
    """
    share = min(negatives / (items - 1), 1.0)
    return share * (t * (1 - 1 / share) + 1 / share)
