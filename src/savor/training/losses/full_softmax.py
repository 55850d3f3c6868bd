"""The softmax over all items."""

from typing import Any

from keras import ops

from savor.training.losses.cross_entropy import cross_entropy


def full_softmax(vectors: Any, table: Any, target: Any, bias: Any | None = None) -> Any:
    """Cross-entropy of the chosen item against every item: `logsumexp(v · table) - v · table[target]`.

    Takes N × I float32 for the scores; Klenitskiy and Vasilev 2023, "Turning dross into gold loss: is BERT4Rec really
    better than SASRec?" show what it is worth.

    Args:
        vectors: (N, D) float32, already divided by the temperature.
        table: (I, D) float32 vectors of all items.
        target: (N,) int32 rows of `table`.
        bias: (I,) float32 added to the scores; None for none. A score of `hidden.HIDDEN` leaves an item out.

    Returns:
        (N,) float32.
    """
    scores = ops.matmul(vectors, ops.transpose(table))
    if bias is not None:
        scores = scores + bias
    return cross_entropy(scores, target)
