import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.core.errors import SavorError
from savor.evaluation.beyond_accuracy import (
    category_diversity,
    coverage,
    exposure,
    exposure_by_decile,
    gini,
    intra_list_diversity,
    novelty,
)
from savor.evaluation.ranking_head import auc, calibration_error, log_loss, rmse


def test_novelty_by_hand():
    items = np.array([[0, 1], [1, -1], [-1, -1]], np.int32)
    bits = novelty(items, np.array([7, 0, 1]), 7)
    assert bits[:2].tolist() == [1.5, 3.0]
    assert math.isnan(bits[2])


def test_diversity_by_hand():
    vectors = np.array([[2, 0], [0, 3], [1, 0]], np.float32)
    items = np.array([[0, 1, -1], [0, 2, -1], [0, 1, 2], [0, -1, -1]], np.int32)
    np.testing.assert_allclose(intra_list_diversity(items, vectors), [1, 0, 2 / 3, np.nan])
    np.testing.assert_allclose(category_diversity(items, np.array([1, 2, 1], np.int32)), [1, 0, 2 / 3, np.nan])
    assert category_diversity(items[1:2], np.zeros(3, np.int32)).tolist() == [1]


def test_coverage_gini_and_deciles_by_hand():
    exposures = exposure(np.array([[0, 1], [0, -1]], np.int32), 4)
    assert exposures.tolist() == [2, 1, 0, 0]
    assert coverage(exposures) == 0.5
    assert gini(exposures) == pytest.approx((3 * 2 + 1 * 1) / (4 * 3))
    assert gini(np.array([5, 5, 5])) == 0
    assert gini(np.array([0, 0, 9, 0])) == pytest.approx(0.75)
    assert gini(np.zeros(3, np.int64)) == 0
    shares = exposure_by_decile(np.arange(20), np.arange(20))
    assert shares.sum() == pytest.approx(1)
    assert shares[0] == pytest.approx(37 / 190)
    assert exposure_by_decile(np.zeros(3, np.int64), np.zeros(3, np.int64)).tolist() == [0] * 10


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
def test_gini_is_between_even_and_one_taking_all(exposures):
    value = gini(np.array(exposures))
    assert -1e-12 <= value <= 1 - 1 / len(exposures) + 1e-12
    assert gini(np.array(exposures) * 3) == pytest.approx(value)


@given(st.integers(0, 10_000))
def test_auc_is_the_share_of_pairs_in_order(seed):
    generator = np.random.default_rng(seed)
    labels = np.array([True, False, *(generator.random(20) < 0.4)])
    scores = generator.integers(0, 5, 22).astype(np.float32)
    pairs = scores[labels][:, None] - scores[~labels][None, :]
    assert auc(labels, scores) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def test_heads_by_hand():
    labels, probabilities = np.array([True, False]), np.array([0.8, 0.4], np.float32)
    assert log_loss(labels, probabilities) == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2, rel=1e-6)
    assert math.isfinite(log_loss(labels, np.array([0, 1], np.float32)))
    assert rmse(np.array([1, 5], np.float32), np.array([2, 2], np.float32)) == pytest.approx(math.sqrt(5))
    assert calibration_error(labels, probabilities, bins=1) == pytest.approx(0.1, rel=1e-5)
    assert calibration_error(np.array([True, True]), np.array([1, 1], np.float32)) == 0
    with pytest.raises(SavorError, match="both"):
        auc(np.array([True]), np.array([1], np.float32))
