"""What a step minimises."""

from typing import Any

import tensorflow as tf

from savor.training.losses.binary_cross_entropy import binary_cross_entropy
from savor.training.losses.gbce import gbce, gbce_beta
from savor.training.losses.sampled_softmax import sampled_softmax
from savor.training.sequence.options import SequenceOptions
from savor.training.sequence.softmax_in_parts import mean_softmax_in_parts


def mean_loss(
    states: Any, embeddings: Any, bias: Any, target: Any, drawn: Any, options: SequenceOptions, items: int
) -> Any:
    """Mean loss of N predictions.

    Args:
        states: (N, W) outputs of the sequence layer.
        embeddings: (R, W) of the items of the step.
        bias: (R,) of the same.
        target: (N,) int32 rows of `embeddings`.
        drawn: (M,) int32 rows of `embeddings`, uniformly drawn from the catalogue; shared by all predictions.
        options: which loss.
        items: size of the catalogue.

    Returns:
        () float32.
    """
    if options.normalise:
        states = tf.math.l2_normalize(states, -1) / options.temperature
        embeddings = tf.math.l2_normalize(embeddings, -1)
    if options.loss == "full_softmax":
        return mean_softmax_in_parts(states, embeddings, bias, target, options.precision)
    positive = tf.reduce_sum(states * tf.gather(embeddings, target), 1) + tf.gather(bias, target)
    negative = tf.matmul(states, tf.gather(embeddings, drawn), transpose_b=True) + tf.gather(bias, drawn)
    accidental = target[:, None] == drawn
    match options.loss:
        case "sampled_softmax":
            losses = sampled_softmax(positive, negative, accidental=accidental)
        case "gbce":
            beta = gbce_beta(options.negatives, items, options.gbce_t)
            losses = gbce(positive, negative, beta=beta, accidental=accidental)
        case "bce":
            losses = binary_cross_entropy(positive, negative, accidental=accidental)
    return tf.reduce_mean(losses)
