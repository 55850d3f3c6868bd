"""Binary cross-entropy of what was chosen against negatives."""

from typing import Any

from savor.training.losses.gbce import gbce


def binary_cross_entropy(positive: Any, negative: Any, *, accidental: Any | None = None) -> Any:
    """`-(log σ(p) + Σ log(1 - σ(n))) / (M + 1)` per example (Kang and McAuley 2018, "SASRec", equation 6, as a mean).

    Args:
        positive: (N,) float32 scores of what was chosen.
        negative: (N, M) float32 scores of the negatives.
        accidental: (N, M) bool, negatives that must not count; None for none.

    Returns:
        (N,) float32.
    """
    return gbce(positive, negative, beta=1.0, accidental=accidental)
