import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.pipeline.fairness.controller import ExposureController
from savor.pipeline.fairness.exposure import exposure_shares, place_weights
from savor.pipeline.fairness.quota import falling, quota_order
from savor.pipeline.fairness.scores import boosted


def requests(seed, number, *, handicap=1.5, size=40):
    generator = np.random.default_rng(seed)
    for _ in range(number):
        member = generator.random(size) < 0.2
        yield generator.normal(size=size) - handicap * member, member[None]


def served(controller, seed, number):
    value = 0.0
    for scores, members in requests(seed, number):
        order = falling(boosted(scores, members, controller.boosts))
        controller.observe(exposure_shares(members, order, 10))
        value += place_weights(10) @ scores[order[:10]]
    return value / number


@pytest.mark.parametrize("target", [0.1, 0.3])
def test_exposure_comes_to_its_share_in_the_long_run(target):
    controller = ExposureController({"new": target})
    served(controller, 0, 2000)
    assert controller.reached()["new"] == pytest.approx(target, abs=0.01)


def test_it_costs_less_than_a_quota_in_each_list():
    target, number = 0.2, 1500
    controller = ExposureController({"new": target})
    controlled = served(controller, 1, number)
    quota = np.mean(
        [
            place_weights(10) @ scores[quota_order(scores, members, np.array([target]), 10)[:10]]
            for scores, members in requests(1, number)
        ]
    )
    assert controller.reached()["new"] >= target - 0.01
    assert controlled > quota + 0.02


def test_a_group_that_has_its_share_anyway_costs_nothing():
    controller = ExposureController({"new": 0.05})
    for scores, members in requests(2, 500, handicap=0.0):
        order = falling(boosted(scores, members, controller.boosts))
        controller.observe(exposure_shares(members, order, 10))
    assert controller.reached()["new"] > 0.1
    assert controller.boosts[0] < 0.1


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0, 1), st.floats(0.01, 0.5))
def test_the_shortfall_is_bounded_by_the_boost(exposures, target, step):
    controller = ExposureController({"group": target}, step=step, most=1e9)
    for exposure in exposures:
        controller.observe(np.array([exposure]))
    shortfall = target - controller.reached()["group"]
    assert shortfall <= controller.boosts[0] / (step * len(exposures)) + 1e-9
    assert controller.boosts[0] >= 0


def test_boosts_have_an_end_where_there_is_nothing_to_show():
    controller = ExposureController({"none": 0.5}, step=1, most=3)
    for _ in range(100):
        controller.observe(np.zeros(1))
    assert controller.boosts.tolist() == [3]
    assert controller.reached() == {"none": 0}


def test_before_the_first_list():
    assert np.isnan(ExposureController({"new": 0.1}).reached()["new"])
