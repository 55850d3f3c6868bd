"""The softmax against sampled negatives."""

from typing import Any

from keras import ops

from savor.training.losses.hidden import without


def sampled_softmax(
    positive: Any,
    negative: Any,
    *,
    log_q_positive: Any | None = None,
    log_q_negative: Any | None = None,
    accidental: Any | None = None,
) -> Any:
    """`-log(exp(p) / (exp(p) + Σ exp(n)))` per example, p and n being scores less the log of how often they are drawn.

    The correction makes the expected gradient that of the full softmax, whatever the negatives are drawn from (Bengio
    and Senécal 2008, "Adaptive importance sampling to accelerate training of a neural probabilistic language model";
    Yi et al. 2019, "Sampling-bias-corrected neural modeling for large corpus item recommendations").

    Args:
        positive: (N,) float32 scores of what was chosen, already divided by the temperature.
        negative: (N, M) float32 scores of the negatives.
        log_q_positive: (N,) float32, log of the expected number of times the positive is drawn; None for no correction.
        log_q_negative: (N, M) or (M,) float32, the same of the negatives; None for no correction.
        accidental: (N, M) bool, negatives that must not count, such as the positive itself; None for none.

    Returns:
        (N,) float32.
    """
    if log_q_positive is not None:
        positive = positive - log_q_positive
    if log_q_negative is not None:
        negative = negative - log_q_negative
    everything = ops.logsumexp(without(negative, accidental), axis=1)
    return ops.logaddexp(positive, everything) - positive
