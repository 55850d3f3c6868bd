"""Scores of every item for many users."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from savor.core.top_k import top_k
from savor.training.ncf.networks import NcfNetworks
from savor.training.retrieval_validation import RetrievalValidation

PAIRS = 1 << 18
"""Most pairs scored in one call."""


def score_all(
    networks: NcfNetworks, users: NDArray[np.int32], items: NDArray[np.int32]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Score all `items` for all `users`, both codes, some users at a time.

    Yields:
        The place of the first user, and (b, I) float32 scores of it and the next ones.
    """
    if networks.user is not None and networks.item is not None:
        of_items = np.asarray(networks.item.predict_on_batch({"item_id": items}), np.float32)
        for start in range(0, len(users), 1024):
            block = users[start : start + 1024]
            yield start, np.asarray(networks.user.predict_on_batch({"user_id": block}), np.float32) @ of_items.T
        return
    step = max(1, PAIRS // max(len(items), 1))
    for start in range(0, len(users), step):
        block = users[start : start + step]
        inputs = {"user_id": np.repeat(block, len(items)), "item_id": np.tile(items, len(block))}
        scores = np.asarray(networks.pair.predict_on_batch(inputs), np.float32)
        yield start, scores.reshape(len(block), len(items))


def validation_ndcg(
    networks: NcfNetworks,
    validation: RetrievalValidation,
    users: NDArray[np.int32],
    items: NDArray[np.int32],
    k: int = 10,
) -> float:
    """Mean NDCG@k of the lists of all items for the users of `validation`.

    Args:
        networks: what is measured.
        validation: what was chosen, and what must not be recommended, as rows.
        users: (Q,) int32 codes of its users.
        items: (I,) int32 codes of all items, by row.
        k: length of the lists.
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    found = np.empty(len(users))
    for start, scores in score_all(networks, users, items):
        for row in range(start, start + len(scores)):
            hidden = validation.hidden[validation.hidden_indptr[row] : validation.hidden_indptr[row + 1]]
            scores[row - start, hidden] = -np.inf
        top, _ = top_k(scores, k)
        for row in range(start, start + len(scores)):
            wanted = validation.relevant[validation.indptr[row] : validation.indptr[row + 1]]
            hits = np.isin(top[row - start], wanted)
            found[row] = discount[: len(hits)][hits].sum() / discount[: max(1, min(k, len(wanted)))].sum()
    return float(found.mean())
