import numpy as np
import pytest

from savor.training.losses.full_softmax import full_softmax
from savor.training.losses.hidden import HIDDEN
from savor.training.losses.sampled_softmax import sampled_softmax

POSITIVE = np.asarray([2.0, -1.0], np.float32)
NEGATIVE = np.asarray([[1.0, 0.5], [0.0, 3.0]], np.float32)


def test_by_hand():
    expected = [-np.log(np.exp(2) / (np.exp(2) + np.exp(1) + np.exp(0.5))),
                -np.log(np.exp(-1) / (np.exp(-1) + 1 + np.exp(3)))]  # fmt: skip
    assert np.asarray(sampled_softmax(POSITIVE, NEGATIVE)) == pytest.approx(expected, rel=1e-5)


def test_what_is_drawn_often_weighs_less():
    q_positive, q_negative = np.asarray([0.5, 0.25], np.float32), np.asarray([2.0, 0.125], np.float32)
    given = sampled_softmax(POSITIVE, NEGATIVE, log_q_positive=np.log(q_positive), log_q_negative=np.log(q_negative))
    own = np.exp(POSITIVE) / q_positive
    expected = -np.log(own / (own + (np.exp(NEGATIVE) / q_negative).sum(axis=1)))
    assert np.asarray(given) == pytest.approx(expected, rel=1e-5)


def test_accidental_hits_do_not_count():
    hits = np.asarray([[True, False], [True, True]])
    given = np.asarray(sampled_softmax(POSITIVE, NEGATIVE, accidental=hits))
    assert given == pytest.approx([np.log1p(np.exp(0.5 - 2)), 0], rel=1e-5, abs=1e-6)


def test_sampling_everything_once_is_the_full_softmax():
    rng = np.random.default_rng(0)
    vectors, table = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(6, 3)).astype(np.float32)
    target = np.asarray([5, 0, 2, 2], np.int32)
    scores = vectors @ table.T
    own = np.arange(6) == target[:, None]
    sampled = sampled_softmax(scores[np.arange(4), target], scores, accidental=own)
    assert np.asarray(sampled) == pytest.approx(np.asarray(full_softmax(vectors, table, target)), rel=1e-5)


def test_corrected_sampling_aims_at_the_full_softmax():
    """Over many draws, the mean of what the negatives add up to is what all other items add up to."""
    rng = np.random.default_rng(1)
    scores, q = rng.normal(size=8).astype(np.float32), rng.dirichlet(np.full(8, 2.0))
    drawn = rng.choice(8, size=(4000, 50), p=q)
    corrected = np.exp(scores[drawn]) / (50 * q[drawn])
    assert corrected.sum(axis=1).mean() == pytest.approx(np.exp(scores).sum(), rel=0.02)
    positive = np.full(4000, 1.5, np.float32)
    hidden = drawn == 3
    losses = sampled_softmax(
        positive, scores[drawn], log_q_negative=np.log(50 * q[drawn]).astype(np.float32), accidental=hidden
    )
    full = np.log(np.exp(1.5) + np.exp(np.delete(scores, 3)).sum()) - 1.5
    assert float(np.mean(losses)) == pytest.approx(full, rel=0.02)


def test_full_softmax_by_hand():
    vectors, table = np.asarray([[1, 0], [0, 2]], np.float32), np.asarray([[1, 0], [0, 1], [1, 1]], np.float32)
    given = np.asarray(full_softmax(vectors, table, np.asarray([0, 2], np.int32)))
    assert given == pytest.approx([np.log(np.e + 1 + np.e) - 1, np.log(1 + np.e**2 + np.e**2) - 2], rel=1e-5)
    bias = np.asarray([0, 1, HIDDEN], np.float32)
    given = np.asarray(full_softmax(vectors, table, np.asarray([0, 1], np.int32), bias))
    assert given == pytest.approx([np.log(np.e + np.e) - 1, np.log(1 + np.e**3) - 3], rel=1e-5)
