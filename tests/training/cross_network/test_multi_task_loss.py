import numpy as np
import pytest

from savor.training.cross_network.multi_task_loss import choice_loss, multi_task_loss, rating_loss


def array(*numbers):
    return np.array(numbers, np.float32)


def test_choice_by_hand():
    # Weights 3 and 1: (3 · -log σ(2) + 1 · -log σ(1)) / 4.
    expected = (3 * np.log1p(np.exp(-2)) + np.log1p(np.exp(-1))) / 4
    assert float(choice_loss(array(2, -1), array(1, 0), array(3, 1))) == pytest.approx(expected, rel=1e-6)


def test_rating_by_hand_looks_at_what_is_known_only():
    assert float(rating_loss(array(1, 5, 2), array(2, 0, 4), array(1, 0, 1))) == pytest.approx((1 + 4) / 2)
    assert float(rating_loss(array(1, 5), array(0, 0), array(0, 0))) == 0


def test_the_sum_by_hand():
    assert multi_task_loss(0.5, 2.0, 4.0, alpha=0.1, beta=0.25) == pytest.approx(0.5 + 0.2 + 1.0)
