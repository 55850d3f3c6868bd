import numpy as np
import pytest

from savor.features.moment import DAY, WEEK, moment_features


def test_quarters_of_the_day():
    features = moment_features(np.asarray([0, DAY // 4, DAY // 2], np.int64))
    assert features[:, :2] == pytest.approx(np.asarray([[0, 1], [1, 0], [0, -1]]), abs=1e-6)


def test_the_same_moment_a_week_later_is_the_same_and_a_day_later_is_not():
    now = np.asarray([1_700_000_000], np.int64)
    assert np.array_equal(moment_features(now), moment_features(now + WEEK))
    assert np.array_equal(moment_features(now)[:, :2], moment_features(now + DAY)[:, :2])
    assert not np.allclose(moment_features(now), moment_features(now + DAY))
