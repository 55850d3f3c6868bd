"""A/A and A/B tests of made users, read at fifty looks by what reads real ones."""

import numpy as np
import pytest

from savor.online.experiments.assignment import VariantDraw
from savor.online.experiments.moments import Moments
from savor.online.experiments.sequential import always_valid_interval
from savor.online.experiments.simulation import SimulatedShop

SHOP = SimulatedShop(users=10_000, looks=50, visits=0.04, habits=10)
METRICS = ("ctr", "conversion", "purchases_per_list", "order_value")
NUMBERS = [str(number) for number in range(SHOP.users)]


def looked(runs, lift, seed, scale=0.1):
    """By metric: the share of runs in which some look said there is a difference, and in which an ordinary one did."""
    generator = np.random.default_rng(seed)
    found, ordinary = dict.fromkeys(METRICS, 0), dict.fromkeys(METRICS, 0)
    for _ in range(runs):
        variant = (generator.random(SHOP.users) < 0.5).astype(np.int64)
        users, moments = SHOP.run(generator, variant, lift)
        for metric in METRICS:
            some = plain = False
            for seen, (control, candidate) in zip(users, moments[metric], strict=True):
                if seen.min() < 100:
                    continue
                base = control.ratio()
                difference = candidate.ratio().minus(base)
                interval = always_valid_interval(difference, scale * base.value, 0.05)
                some |= interval.low > 0 or interval.high < 0
                plain |= abs(difference.value) > 1.96 * difference.variance**0.5
            found[metric] += some
            ordinary[metric] += plain
    return {name: n / runs for name, n in found.items()}, {name: n / runs for name, n in ordinary.items()}


@pytest.mark.slow
def test_an_a_a_test_keeps_its_false_alarm_rate_at_fifty_looks():
    found, ordinary = looked(400, 0.0, 0)
    assert max(found.values()) <= 0.05
    assert min(ordinary.values()) > 0.15


def test_an_a_b_test_finds_a_true_effect():
    found, _ = looked(20, 0.35, 1)
    assert min(found.values()) >= 0.9


def test_running_sums_are_those_of_the_users():
    """The last look of a small shop against adding up by user."""
    shop = SimulatedShop(users=300, looks=8)
    generator = np.random.default_rng(3)
    variant = np.array([VariantDraw("s", {"a": 1, "b": 1}).of(user) == "b" for user in NUMBERS[:300]]).astype(np.int64)
    state = generator.bit_generator.state
    users, moments = shop.run(generator, variant)
    generator.bit_generator.state = state
    user, _, columns = shop._visits(generator, variant, 0.0)
    totals = {name: np.bincount(user, column, 300) for name, column in columns.items()}
    for number in (0, 1):
        rows = variant == number
        assert users[-1, number] == rows.sum()
        for metric, top, below in (("ctr", "clicks", "impressions"), ("order_value", "money", None)):
            expected = Moments.of(totals[top][rows], totals[below][rows] if below else None)
            np.testing.assert_allclose(moments[metric][-1][number], expected, rtol=1e-9)
    assert totals["converted"].max() == 1
