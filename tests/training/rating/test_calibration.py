import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.training.rating.calibration import Calibration, isotonic


def test_adjacent_violators_are_pooled_by_hand():
    # 3 and 2 pool to 2.5; with weights 1 and 3 they pool to 2.25.
    np.testing.assert_allclose(isotonic(np.array([1.0, 3, 2, 4]), np.ones(4)), [1, 2.5, 2.5, 4])
    np.testing.assert_allclose(isotonic(np.array([1.0, 3, 2, 4]), np.array([1.0, 1, 3, 1])), [1, 2.25, 2.25, 4])
    np.testing.assert_allclose(isotonic(np.array([4.0, 3, 2, 1]), np.ones(4)), [2.5] * 4)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_it_rises_and_keeps_the_mean(values):
    found = isotonic(np.array(values), np.ones(len(values)))
    assert (np.diff(found) >= -1e-9).all()
    assert found.mean() == pytest.approx(np.mean(values), abs=1e-9)


def test_clip_keeps_within_the_scale():
    made = Calibration.fit("clip", np.array([3.0], np.float32), np.array([1, 5], np.float32))
    np.testing.assert_allclose(made.apply(np.array([0.2, 3.3, 6], np.float32)), [1, 3.3, 5])


def test_isotonic_undoes_a_rising_distortion(tmp_path):
    rng = np.random.default_rng(0)
    truth = rng.uniform(1, 5, 20_000).astype(np.float32)
    rating = np.clip(np.round(truth + 0.2 * rng.standard_normal(len(truth))), 1, 5).astype(np.float32)
    distorted = (truth**2 / 5).astype(np.float32)
    made = Calibration.fit("isotonic", distorted[:10_000], rating[:10_000])
    before = np.abs(distorted[10_000:] - rating[10_000:]).mean()
    after = np.abs(made.apply(distorted[10_000:]) - rating[10_000:]).mean()
    assert after < 0.6 * before
    again = Calibration.from_json(made.to_json())
    np.testing.assert_array_equal(again.apply(distorted), made.apply(distorted))


def test_none_changes_nothing():
    predicted = np.array([-7, 0.5, 9], np.float32)
    np.testing.assert_allclose(Calibration.fit("none", predicted, predicted).apply(predicted), predicted, rtol=1e-6)
