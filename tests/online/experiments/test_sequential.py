import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.online.experiments.estimate import Estimate
from savor.online.experiments.moments import Moments
from savor.online.experiments.sequential import always_valid_interval, always_valid_p

UNKNOWN = Estimate(math.nan, math.inf)


def test_the_interval_is_that_of_waudby_smith_and_others():
    """Theorem 2.2, for t observations of variance 4 with rho^2 = s^2 / 4."""
    t, alpha, sigma, scale = 1000, 0.05, 2.0, 0.1
    rho2 = scale**2 / sigma**2
    half = sigma * math.sqrt(2 * (t * rho2 + 1) / (t**2 * rho2) * math.log(math.sqrt(t * rho2 + 1) / alpha))
    interval = always_valid_interval(Estimate(3.0, sigma**2 / t), scale, alpha)
    assert interval.low == pytest.approx(3 - half)
    assert interval.high == pytest.approx(3 + half)


@given(st.floats(-5, 5), st.floats(1e-4, 4), st.floats(0.01, 2), st.floats(0.001, 0.4))
def test_the_p_is_alpha_at_the_bounds_of_the_interval(value, variance, scale, alpha):
    interval = always_valid_interval(Estimate(value, variance), scale, alpha)
    for bound in (interval.low, interval.high):
        assert always_valid_p(Estimate(value, variance), scale, bound) == pytest.approx(alpha, rel=1e-6)
    assert interval.low < value < interval.high
    assert interval.high - interval.low > 2 * 1.2 * math.sqrt(variance) * math.sqrt(-math.log(alpha))


def test_it_is_sharpest_for_the_scale_it_is_made_for():
    widths = {
        scale: always_valid_interval(Estimate(0.0, 0.01), scale, 0.05).high for scale in (0.03, 0.1, 0.3, 1.0, 3.0)
    }
    assert min(widths, key=lambda scale: widths[scale]) == 0.3


def test_nothing_is_concluded_from_nothing():
    for estimate, scale in ((UNKNOWN, 1.0), (Estimate(1.0, 0.0), 1.0), (Estimate(1.0, 1.0), 0.0)):
        interval = always_valid_interval(estimate, scale, 0.05)
        assert (interval.low, interval.high) == (-math.inf, math.inf)
        assert always_valid_p(estimate, scale) == 1
        assert interval.as_json()["low"] is None


def test_the_interval_covers_the_truth_at_all_looks_together():
    """A thousand made Brownian paths; an ordinary interval misses the truth at some look for about a third."""
    generator = np.random.default_rng(0)
    times = np.linspace(20, 1000, 50)
    steps = generator.normal(size=(1000, 50)) * np.sqrt(np.diff(times, prepend=0))
    means = steps.cumsum(axis=1) / times
    missed = ordinary = 0
    for path in means:
        intervals = [
            always_valid_interval(Estimate(value, 1 / time), 0.1, 0.05) for value, time in zip(path, times, strict=True)
        ]
        missed += any(not one.low <= 0 <= one.high for one in intervals)
        ordinary += bool((np.abs(path) > 1.96 / np.sqrt(times)).any())
    assert missed / 1000 <= 0.05
    assert ordinary / 1000 > 0.25


def test_ratio_of_a_mean_is_the_textbook_one():
    values = np.random.default_rng(0).normal(3, 2, 400)
    mean = Moments.of(values).ratio()
    assert mean.value == pytest.approx(values.mean())
    assert mean.variance == pytest.approx(values.var(ddof=1) / 400)


def test_the_delta_method_is_right_about_ratios():
    """Against the spread of 3,000 made samples; treating items as independent would be far too sure."""
    generator = np.random.default_rng(1)
    found, said, naive = [], [], []
    for _ in range(3000):
        taste = generator.beta(2, 8, 200)
        shown = (10 * (1 + generator.poisson(2, 200))).astype(np.float64)
        clicks = generator.binomial(shown.astype(int), taste).astype(np.float64)
        ratio = Moments.of(clicks, shown).ratio()
        found.append(ratio.value)
        said.append(ratio.variance)
        naive.append(ratio.value * (1 - ratio.value) / shown.sum())
    assert np.mean(said) == pytest.approx(np.var(found), rel=0.1)
    assert np.mean(naive) < 0.5 * np.var(found)


def test_moments_add_up():
    generator = np.random.default_rng(2)
    x, y = generator.random(50), generator.random(50)
    first, second = Moments.of(x[:20], y[:20]), Moments.of(x[20:], y[20:])
    np.testing.assert_allclose(np.add(first, second), Moments.of(x, y))


def test_estimates_by_hand():
    treated, control = Estimate(3.0, 0.4), Estimate(2.0, 0.1)
    assert treated.minus(control) == (1.0, 0.5)
    assert treated.minus(control, 0.5) == pytest.approx((2.0, 0.425))
    lift = treated.over(control)
    assert lift.value == 0.5
    assert lift.variance == pytest.approx((0.4 + 1.5**2 * 0.1) / 4)
    assert not treated.over(Estimate(0.0, 0.1)).known
    assert not treated.minus(UNKNOWN).known
    assert not Moments.of(np.array([1.0])).ratio().known
    assert not Moments.of(np.ones(5), np.zeros(5)).ratio().known
