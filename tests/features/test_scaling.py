import numpy as np
import pytest

from savor.features.scaling import LIMIT, Scaler


def test_standardises_and_flags_what_is_missing():
    values = np.asarray([1, 2, 3, np.nan], np.float32)
    scaled = Scaler.fit(values).transform(values)
    deviation = np.sqrt(2 / 3)
    assert scaled.dtype == np.float32
    assert scaled == pytest.approx(np.asarray([[-1 / deviation, 0], [0, 0], [1 / deviation, 0], [0, 1]]), abs=1e-6)


def test_skewed_columns_go_through_the_logarithm_and_negative_ones_do_not():
    skewed = np.exp(np.random.default_rng(0).normal(0, 2, 500)).astype(np.float32)
    assert Scaler.fit(skewed).logarithm
    assert not Scaler.fit(np.append(skewed, np.float32(-1))).logarithm
    assert not Scaler.fit(np.arange(100, dtype=np.float32)).logarithm


@pytest.mark.parametrize("values", [[], [np.nan, np.inf], [7, 7, 7]])
def test_columns_without_spread_stay_finite(values):
    scaled = Scaler.fit(np.asarray(values, np.float32)).transform(np.asarray([7, np.nan, -np.inf, 1e30], np.float32))
    assert np.isfinite(scaled).all()
    assert np.abs(scaled).max() <= LIMIT
    assert scaled[:, 1].tolist() == [0, 1, 1, 0]


def test_json_round_trip():
    scaler = Scaler(True, 0.25, 3.0)
    assert Scaler.from_json(scaler.to_json()) == scaler
