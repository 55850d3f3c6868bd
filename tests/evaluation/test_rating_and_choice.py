import numpy as np
import pytest

from savor.evaluation.choice import choice_figures
from savor.evaluation.ranking_head import auc, log_loss
from savor.evaluation.rating import rating_calibration, rating_figures


def test_rating_by_hand():
    user = np.array([0, 0, 1, 1], np.int32)
    rating, predicted = np.array([1, 2, 3, 4], np.float32), np.array([2, 2, 3, 2], np.float32)
    figures = rating_figures(user, rating, predicted)
    assert figures["rmse"].mean == pytest.approx(np.sqrt(5 / 4))
    assert figures["mae"].mean == pytest.approx(3 / 4)
    # Resampling users gives squares of 1/2, 5/4 or 2 a rating.
    assert figures["rmse"].low == pytest.approx(np.sqrt(1 / 2))
    assert figures["rmse"].high == pytest.approx(np.sqrt(2))


def test_rating_calibration_by_hand():
    predicted = np.array([1, 2, 4, 5], np.float32)
    bins = rating_calibration(np.array([2, 2, 4, 3], np.float32), predicted, bins=2)
    assert [(one.predicted, one.observed, one.number) for one in bins] == [(1.5, 2, 2), (4.5, 3.5, 2)]
    figures = rating_figures(np.arange(4, dtype=np.int32), np.array([2, 2, 4, 3], np.float32), predicted)
    assert figures["calibration_error"].mean == pytest.approx((1 + 0 + 0 + 2) / 4)


def test_choice_has_the_plain_figures_and_wide_enough_intervals():
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(50, dtype=np.int32), 20)
    chance = np.round(rng.random(1000), 2).astype(np.float32)
    label = rng.random(1000) < chance
    figures = choice_figures(user, label, chance)
    assert figures["auc"].mean == pytest.approx(auc(label, chance))
    assert figures["log_loss"].mean == pytest.approx(log_loss(label, chance))
    for name in ("auc", "log_loss"):
        assert figures[name].low < figures[name].mean < figures[name].high
    # The standard error of an AUC of 0.83 over 1,000 is about 0.013.
    assert 0.03 < figures["auc"].high - figures["auc"].low < 0.08


def test_the_interval_counts_ties_half():
    user = np.arange(40, dtype=np.int32)
    label = np.arange(40) % 2 == 0
    figures = choice_figures(user, label, np.full(40, 0.5, np.float32))
    assert (figures["auc"].mean, figures["auc"].low, figures["auc"].high) == (0.5, 0.5, 0.5)
