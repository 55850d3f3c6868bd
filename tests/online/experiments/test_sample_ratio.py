import numpy as np
import pytest

from savor.online.experiments.sample_ratio import MISMATCH, sample_ratio


def test_by_hand():
    """Pearson's statistic is 4 with one degree of freedom."""
    ratio = sample_ratio([5100, 4900], [1, 1])
    assert ratio.p_once == pytest.approx(0.0455, abs=1e-4)
    assert ratio.shares == (0.5, 0.5)
    assert not ratio.mismatch


@pytest.mark.parametrize(
    ("counts", "shares", "mismatch"),
    [
        ([5000, 5000], [1, 1], False),
        ([5300, 4700], [1, 1], True),
        ([300, 100], [1, 1], True),
        ([100, 300], [1, 3], False),
        ([1000, 0], [0.99, 0.01], True),
        ([9900, 101, 99], [98, 1, 1], False),
        ([9900, 180, 99], [98, 1, 1], True),
        ([10, 0], [1, 0], False),
        ([10, 1], [1, 0], True),
        ([0, 0], [1, 1], False),
    ],
)
def test_what_is_a_mismatch(counts, shares, mismatch):
    assert sample_ratio(counts, shares).mismatch == mismatch


def test_false_alarms_over_all_looks_together():
    generator = np.random.default_rng(0)
    alarms, once, runs = 0, 0, 800
    for _ in range(runs):
        treated = generator.binomial(100, 0.5, 100).cumsum()
        looks = [sample_ratio([100 * (look + 1) - treated[look], treated[look]], [1, 1]) for look in range(0, 100, 5)]
        alarms += min(look.p for look in looks) < 0.05
        once += min(look.p_once for look in looks) < 0.05
    assert alarms / runs <= 0.05
    assert once / runs > 0.1
    assert MISMATCH < 0.05


def test_a_small_leak_is_found():
    generator = np.random.default_rng(1)
    found = [sample_ratio([20_000, int(generator.binomial(20_000, 0.95))], [1, 1]).mismatch for _ in range(20)]
    assert all(found)


@pytest.mark.parametrize(("counts", "shares"), [([1], [1, 1]), ([1, 1], [1, -1]), ([1], [0]), ([], [])])
def test_what_makes_no_sense(counts, shares):
    with pytest.raises(ValueError, match="one share"):
        sample_ratio(counts, shares)
