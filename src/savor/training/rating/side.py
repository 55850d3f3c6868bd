"""What is known of users and items beside the ratings, as numbers."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from savor.features.columns import Columns
from savor.training.rating.rating_table import RatingTable


def column_side(columns: Columns, bins: int = 12) -> NDArray[np.float32]:
    """(R, P) float32: a 1 for the row's value of each category and for each of its tags, and for each number's bin.

    Args:
        columns: of a table of R rows.
        bins: how many equally full bins numbers are cut into; unknown numbers are in none.
    """
    parts = [_one_hot(category.codes, len(category.values))[:, 1:] for category in columns.categories.values()]
    for tag in columns.tags.values():
        held = np.zeros((len(tag.indptr) - 1, len(tag.values)), np.float32)
        held[np.repeat(np.arange(len(held)), np.diff(tag.indptr)), tag.codes] = 1
        parts.append(held[:, 1:])
    for number in columns.numerics.values():
        known = np.isfinite(number)
        edges = np.unique(np.quantile(number[known], np.linspace(0, 1, bins + 1)[1:-1])) if known.any() else np.empty(0)
        codes = np.where(known, 1 + np.searchsorted(edges, np.nan_to_num(number), "right"), 0)
        parts.append(_one_hot(codes, len(edges) + 2)[:, 1:])
    return np.concatenate(parts, axis=1) if parts else np.empty((0, 0), np.float32)


def implicit_side(
    table: RatingTable, number_of_users: int, number_of_items: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Who rated what, whatever the rating: each side's rows of it by their length, in `width` principal directions.

    With the ratings' mean a linear function of these, a factorisation is an SVD++ whose implicit part has rank `width`
    (Koren 2008, "Factorization meets the neighborhood"), on both sides.

    Returns:
        (U, `width`) and (I, `width`) float32; columns have the mean square of their share in the whole.
    """
    ones = np.ones(len(table), np.float64)
    rated = sparse.csr_matrix((ones, (table.user, table.item)), shape=(number_of_users, number_of_items))
    return _principal(rated, width), _principal(rated.T.tocsr(), width)


def _principal(rows: sparse.csr_matrix, width: int) -> NDArray[np.float32]:
    lengths = np.sqrt(np.maximum(np.asarray(rows.sum(axis=1)).ravel(), 1))
    left, values, _ = svds(sparse.diags(1 / lengths) @ rows, k=min(width, min(rows.shape) - 1), random_state=0)
    return np.asarray(left * values * np.sqrt(rows.shape[0]), np.float32)


def _one_hot(codes: NDArray[np.integer], width: int) -> NDArray[np.float32]:
    made = np.zeros((len(codes), width), np.float32)
    made[np.arange(len(codes)), codes] = 1
    return made
