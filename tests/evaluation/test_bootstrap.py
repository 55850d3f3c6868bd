import numpy as np

from savor.evaluation.bootstrap import Bootstrap, jackknife


def test_interval_of_a_mean_is_the_textbook_one():
    values = np.random.default_rng(0).normal(3, 2, (4000, 1))
    found = Bootstrap(4000, seed=1).intervals(values)[0]
    half = 1.96 * values.std() / np.sqrt(4000)
    assert found.mean == values.mean()
    np.testing.assert_allclose([found.low, found.high], [found.mean - half, found.mean + half], atol=0.015)


def test_same_seed_same_interval_and_others_differ():
    values = np.random.default_rng(0).random((200, 2))
    first, again, other = (Bootstrap(200, seed=seed).intervals(values) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_pairing_removes_what_users_share():
    generator = np.random.default_rng(0)
    shared = generator.normal(0, 5, (500, 1))
    first, second = shared + 0.2 + generator.normal(0, 0.1, (500, 1)), shared + generator.normal(0, 0.1, (500, 1))
    bootstrap = Bootstrap(500)
    difference = bootstrap.differences(first, second)[0]
    assert 0.15 < difference.low < difference.mean < difference.high < 0.25
    alone = bootstrap.intervals(first)[0]
    assert alone.high - alone.low > 10 * (difference.high - difference.low)


def test_users_without_a_value_are_left_out():
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    found = Bootstrap(3).intervals(values)
    assert found[0].mean == 2
    assert 1 <= found[0].low <= found[0].high <= 3
    assert found[1].as_json() == {"mean": None, "low": None, "high": None}
    assert np.isnan(Bootstrap(0).intervals(np.empty((0, 1)))[0].mean)


def test_jackknife_of_a_mean_is_its_standard_error():
    items = np.random.default_rng(0).integers(0, 2, (2000, 1)).astype(np.int32)
    found = jackknife(lambda some: float(some.mean()), items)
    assert found.mean == items.mean()
    half = 1.96 * 0.5 / np.sqrt(2000)
    assert 0.6 * half < (found.high - found.low) / 2 < 1.6 * half
    assert np.isnan(jackknife(lambda some: float(some.mean()), items[:5]).low)


def test_a_ratio_of_sums_by_hand():
    found, asked = np.array([1.0, 3.0, 0.0]), np.array([2.0, 4.0, 2.0])
    interval = Bootstrap(3, resamples=400).ratio(found, asked)
    assert interval.mean == 0.5
    draws = np.random.default_rng(0).integers(0, 3, (20_000, 3))
    low, high = np.percentile(found[draws].sum(axis=1) / asked[draws].sum(axis=1), (2.5, 97.5))
    assert abs(interval.low - low) < 0.1
    assert abs(interval.high - high) < 0.1
