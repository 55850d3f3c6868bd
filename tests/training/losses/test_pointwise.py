import numpy as np
import pytest

from savor.training.losses.binary_cross_entropy import binary_cross_entropy
from savor.training.losses.gbce import gbce, gbce_beta
from savor.training.losses.triplet import triplet

POSITIVE = np.asarray([2.0, -1.0], np.float32)
NEGATIVE = np.asarray([[1.0, 0.5], [0.0, 3.0]], np.float32)
HITS = np.asarray([[False, True], [True, True]])


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def test_binary_cross_entropy_by_hand():
    expected = [-(np.log(sigmoid(2)) + np.log(1 - sigmoid(1)) + np.log(1 - sigmoid(0.5))) / 3,
                -(np.log(sigmoid(-1)) + np.log(1 - sigmoid(0)) + np.log(1 - sigmoid(3))) / 3]  # fmt: skip
    assert np.asarray(binary_cross_entropy(POSITIVE, NEGATIVE)) == pytest.approx(expected, rel=1e-5)
    expected = [-(np.log(sigmoid(2)) + np.log(1 - sigmoid(1))) / 2, -np.log(sigmoid(-1))]
    given = binary_cross_entropy(POSITIVE, NEGATIVE, accidental=HITS)
    assert np.asarray(given) == pytest.approx(expected, rel=1e-5)


def test_gbce_by_hand():
    expected = -(np.log(sigmoid(POSITIVE) ** 0.3) + np.log(1 - sigmoid(NEGATIVE)).sum(axis=1)) / 3
    assert np.asarray(gbce(POSITIVE, NEGATIVE, beta=0.3)) == pytest.approx(expected, rel=1e-5)


def test_beta_of_the_paper():
    share = 256 / 1999
    assert gbce_beta(256, 2000, 0.0) == pytest.approx(1)
    assert gbce_beta(256, 2000, 1.0) == pytest.approx(share)
    assert gbce_beta(256, 2000, 0.75) == pytest.approx(share * (0.75 * (1 - 1 / share) + 1 / share))
    assert gbce_beta(5000, 2000, 0.75) == 1


def test_calibrated_gbce_learns_the_true_share():
    """With t = 1 the best score of an item chosen with chance c among sampled negatives is logit(c)."""
    items, negatives, chance = 101, 10, 0.2
    beta = gbce_beta(negatives, items, 1.0)
    scores = np.linspace(-4, 2, 601).astype(np.float32)
    # Per example the item is the positive with chance c; otherwise it is among the negatives with chance 10 in 100.
    positive = chance * beta * np.log1p(np.exp(-scores))
    negative = (1 - chance) * negatives / (items - 1) * np.log1p(np.exp(scores))
    best = scores[np.argmin(positive + negative)]
    assert sigmoid(best) == pytest.approx(chance, abs=0.01)
    far = np.full((601, negatives), -50, np.float32)
    assert np.asarray(gbce(scores, far, beta=beta)) * 11 * chance == pytest.approx(positive, rel=1e-4)


def test_triplet_by_hand():
    given = np.asarray(triplet(POSITIVE, NEGATIVE, 1.2))
    assert given == pytest.approx([(0.2 + 0) / 2, (2.2 + 5.2) / 2], rel=1e-5)
    given = np.asarray(triplet(POSITIVE, NEGATIVE, 1.2, accidental=HITS))
    assert given == pytest.approx([0.2, 0], rel=1e-5)


def test_triplet_is_half_the_squared_distances():
    rng = np.random.default_rng(0)
    user, item, other = (vector / np.linalg.norm(vector) for vector in rng.normal(size=(3, 5)))
    margin = 0.8
    distances = margin + ((user - item) ** 2).sum() - ((user - other) ** 2).sum()
    given = triplet(np.asarray([user @ item], np.float32), np.asarray([[user @ other]], np.float32), margin / 2)
    assert float(given[0]) == pytest.approx(max(distances, 0) / 2, rel=1e-5)
