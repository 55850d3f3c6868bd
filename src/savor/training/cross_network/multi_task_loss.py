"""The losses of choice, rating and retrieval as one."""

from typing import Any

from keras import ops


def choice_loss(log_odds: Any, label: Any, weight: Any) -> Any:
    """Cross-entropy of choice, `Σ w (softplus(z) - y z) / Σ w`.

    Args:
        log_odds: (B,) float32, z.
        label: (B,) float32 in {0, 1}, y.
        weight: (B,) float32, w, such as that of the label's class.

    Returns:
        () float32.
    """
    return ops.sum(weight * (ops.softplus(log_odds) - label * log_odds)) / ops.maximum(ops.sum(weight), 1e-9)


def rating_loss(predicted: Any, rating: Any, known: Any) -> Any:
    """Mean squared error where there is a rating; 0 where there is none at all.

    Args:
        predicted: (B,) float32.
        rating: (B,) float32, any finite number where not known.
        known: (B,) float32, 1 where there is a rating, else 0.

    Returns:
        () float32.
    """
    return ops.sum(known * ops.square(predicted - rating)) / ops.maximum(ops.sum(known), 1.0)


def multi_task_loss(retrieval: Any, rating: Any, choice: Any, *, alpha: float, beta: float) -> Any:
    """`L = L_retrieval + α L_rating + β L_ctr`, all () float32."""
    return retrieval + alpha * rating + beta * choice
