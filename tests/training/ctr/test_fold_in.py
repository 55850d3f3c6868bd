import numpy as np

from savor.training.ctr.fold_in import fold_in


def test_by_hand():
    """One weight with prior N(1, 1/2) and ratings of precision 3."""
    user = np.array([0, 0, 0, 1], np.int32)
    time = np.array([10, 20, 20, 5], np.int64)
    vectors = np.array([[2.0], [1.0], [3.0], [1.0]])
    offsets = np.array([0.5, 0.0, 0.0, 0.0])
    target = np.array([2.5, 9.0, 9.0, 9.0])
    found = fold_in(user, time, vectors, offsets, target, np.ones((2, 1)), np.array([[2.0]]), 3.0)
    # Before anything: 2·1 + 0.5, variance 4 / 2.
    # After (x 2, rest 2): precision 2 + 3·4 = 14, mean (2 + 3·2·2) / 14 = 1.
    np.testing.assert_allclose(found.mean, [2.5, 1.0, 3.0, 1.0])
    np.testing.assert_allclose(found.spread, np.sqrt([4 / 2, 1 / 14, 9 / 14, 1 / 2]))


def test_neither_its_own_rating_nor_later_ones_matter():
    rng = np.random.default_rng(0)
    number = 80
    user, time = rng.integers(0, 5, number).astype(np.int32), np.sort(rng.integers(0, 30, number)).astype(np.int64)
    vectors, offsets, target = (
        rng.standard_normal((number, 3)),
        rng.standard_normal(number),
        rng.standard_normal(number),
    )
    prior = np.zeros((5, 3)), np.eye(3), 2.0
    before = fold_in(user, time, vectors, offsets, target, *prior)
    changed = np.where(time >= 15, 100.0, target)
    after = fold_in(user, time, vectors, offsets, changed, *prior)
    np.testing.assert_array_equal(before.mean[time <= 15], after.mean[time <= 15])
    assert np.abs(before.mean - after.mean)[time > 20].max() > 1


def test_it_is_the_regression_of_all_that_came_before():
    rng = np.random.default_rng(1)
    vectors, target = rng.standard_normal((30, 2)), rng.standard_normal(30)
    user, time = np.zeros(30, np.int32), np.arange(30, dtype=np.int64)
    found = fold_in(user, time, vectors, np.zeros(30), target, np.zeros((1, 2)), 0.5 * np.eye(2), 4.0)
    precision = 0.5 * np.eye(2) + 4 * vectors[:29].T @ vectors[:29]
    weights = np.linalg.solve(precision, 4 * vectors[:29].T @ target[:29])
    np.testing.assert_allclose(found.mean[29], vectors[29] @ weights)
