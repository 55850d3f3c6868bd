"""Items as a graph: joined by the people they share, and filtered by its frequencies."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import svds

Signal = NDArray[np.float32]
"""(M, B) float32: B users as columns of weights on M items."""


class ItemGraph:
    """The normalised matrix R̃ = D_U^-½ R D_I^-½ of who had what, and what it does to signals on items.

    The eigenvalues of R̃ᵀR̃ are in [0, 1]; near 1 a signal is smooth, the same on items that share people.

    Args:
        matrix: (U, M) binary; every column has an entry.
        dimension: how many of the smoothest singular vectors `low_pass` keeps; at most as many as there are.
    """

    def __init__(self, matrix: sp.csr_matrix, dimension: int) -> None:
        user_degree = np.maximum(np.diff(matrix.indptr), 1).astype(np.float64)
        item_degree = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.float64)
        scaled = sp.diags_array(user_degree**-0.5) @ matrix.astype(np.float64) @ sp.diags_array(item_degree**-0.5)
        self._users = sp.csr_matrix(scaled, dtype=np.float32)
        self._items = sp.csr_matrix(scaled.T, dtype=np.float32)
        self._root = np.sqrt(item_degree).astype(np.float32)[:, None]
        size = min(dimension, min(matrix.shape) - 1)
        self._vectors = np.zeros((matrix.shape[1], 0), np.float32)
        if size > 0:
            start = np.random.default_rng(0).standard_normal(min(matrix.shape))
            _, _, right = svds(sp.csr_matrix(scaled), k=size, v0=start, return_singular_vectors="vh")
            self._vectors = np.ascontiguousarray(right.T, np.float32)

    def smooth(self, signal: Signal) -> Signal:
        """R̃ᵀR̃ times the signal."""
        return np.asarray(self._items @ (self._users @ signal), np.float32)

    def low_pass(self, signal: Signal) -> Signal:
        """D_I^½ V Vᵀ D_I^-½ times the signal: only the smoothest frequencies are left."""
        return np.asarray(self._root * (self._vectors @ (self._vectors.T @ (signal / self._root))), np.float32)
