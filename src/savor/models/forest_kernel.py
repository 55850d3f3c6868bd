"""Boosted trees as arrays, compiled. Import it when trees are to be scored: it compiles."""

import numpy as np
from numpy.typing import NDArray

from savor.core.compiled import compiled

ROWS = 16
"""So many rows go through a tree together: their values stay in the nearest cache."""


@compiled("float32[2]", "uint32[2]", "float32[2]", "float32[2]", "int64", "float32")
def score_forest(
    features: NDArray[np.float32],
    split: NDArray[np.uint32],
    threshold: NDArray[np.float32],
    leaf: NDArray[np.float32],
    depth: int,
    base: np.float32,
) -> NDArray[np.float32]:
    """The sum of the leaves that each row falls into, added in the order of the trees.

    Every tree is complete, so that a step needs no branch: node i has the children 2i + 1 and 2i + 2, and a row goes to
    the second where its value is not below the threshold. Each value is there twice, a missing one as minus infinity
    and as infinity, and `split` names the copy that sends missing values where the tree wants them.

    Args:
        features: (N, F), NaN where missing.
        split: (T, 2^depth - 1) feature of each node, plus F where missing values go to the second child.
        threshold: (T, 2^depth - 1).
        leaf: (T, 2^depth).
        depth: of every tree, at least 1.
        base: what the sum starts from.

    Returns:
        (N,) float32.
    """
    number, width = features.shape
    trees, nodes = split.shape
    rows, above = np.uint32(ROWS), np.uint32(nodes)
    one, two = np.uint32(1), np.uint32(2)
    values = np.zeros(2 * width * ROWS, np.float32)
    place = np.zeros(ROWS, np.uint32)
    total = np.zeros(ROWS, np.float32)
    result = np.empty(number, np.float32)
    low, high = np.float32(-np.inf), np.float32(np.inf)
    for start in range(0, number, ROWS):
        count = min(ROWS, number - start)
        for row in range(count):
            for column in range(width):
                value = features[start + row, column]
                missing = np.isnan(value)
                values[column * ROWS + row] = low if missing else value
                values[(width + column) * ROWS + row] = high if missing else value
        for row in range(ROWS):
            total[row] = base
        for tree in range(trees):
            splits, thresholds, leaves = split[tree], threshold[tree], leaf[tree]
            first, limit = splits[0] * rows, thresholds[0]
            for row in range(ROWS):
                place[row] = one + np.uint32(values[first + np.uint32(row)] >= limit)
            for _ in range(depth - 1):
                for row in range(ROWS):
                    node = place[row]
                    value = values[splits[node] * rows + np.uint32(row)]
                    place[row] = two * node + one + np.uint32(value >= thresholds[node])
            for row in range(ROWS):
                total[row] += leaves[place[row] - above]
        for row in range(count):
            result[start + row] = total[row]
    return result
