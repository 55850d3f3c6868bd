import numpy as np
import pytest

from savor.training.losses.in_batch_softmax import in_batch_softmax


def loss(users, items, rows, probability, temperature=1.0) -> float:
    vectors = np.asarray(users, np.float32), np.asarray(items, np.float32)
    rows, probability = np.asarray(rows, np.int32), np.asarray(probability, np.float32)
    return float(np.mean(in_batch_softmax(vectors[0], vectors[1], rows, probability, temperature)))


def test_by_hand():
    users, items = [[1, 0], [0, 1]], [[1, 0], [0.6, 0.8]]
    # Logits over temperature 0.5 are [[2, 1.2], [0, 1.6]]; minus log q = log [4, 2].
    first = np.log(np.exp(2 + np.log(4)) + np.exp(1.2 + np.log(2))) - (2 + np.log(4))
    second = np.log(np.exp(0 + np.log(4)) + np.exp(1.6 + np.log(2))) - (1.6 + np.log(2))
    assert loss(users, items, [0, 1], [0.25, 0.5], 0.5) == pytest.approx((first + second) / 2, rel=1e-6)


def test_the_same_item_in_another_row_is_not_a_negative():
    users, items = [[1, 0], [0, 1], [1, 1]], [[1, 0], [1, 0], [0, 1]]
    hits = loss(users, items, [7, 7, 8], [0.5, 0.5, 0.5])
    # Row 0 and 1 see only themselves and row 2; row 2 sees all.
    expected = (np.log(np.e + 1) - 1) + (np.log(1 + np.e) - 0) + (np.log(3 * np.e) - 1)
    assert hits == pytest.approx(expected / 3, rel=1e-6)
    assert loss(users, items, [6, 7, 8], [0.5, 0.5, 0.5]) > hits


def test_one_item_only_has_nothing_to_tell_apart():
    assert loss([[1, 0], [0, 1]], [[1, 0], [1, 0]], [5, 5], [1, 1]) == pytest.approx(0, abs=1e-6)


def test_rare_items_weigh_their_true_share():
    """Also very rare ones."""
    users, items = [[1, 0], [0, 1]], [[0, 0], [0, 0]]
    expected = (np.log1p(1e-3 / 1e-8) + np.log1p(1e-8 / 1e-3)) / 2
    assert loss(users, items, [0, 1], [1e-3, 1e-8]) == pytest.approx(expected, rel=1e-5)
