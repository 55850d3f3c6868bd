import numpy as np
import pytest

from savor.core.errors import DataError
from savor.evaluation.off_policy import LoggedRounds, estimate_policy

ACTIONS, CONTEXTS = 6, 4


def simulate(rounds: int, seed: int):
    """A world whose truth is known: rewards by context and action, a logging policy and a new one."""
    rng = np.random.default_rng(seed)
    reward = rng.uniform(0.05, 0.6, (CONTEXTS, ACTIONS))
    logging = rng.dirichlet(np.full(ACTIONS, 2.0), CONTEXTS) * 0.9 + 0.1 / ACTIONS
    policy = rng.dirichlet(np.full(ACTIONS, 0.7), CONTEXTS)
    context = rng.integers(0, CONTEXTS, rounds)
    action = np.array([rng.choice(ACTIONS, p=logging[one]) for one in context])
    got = (rng.random(rounds) < reward[context, action]).astype(np.float64)
    truth = float((policy * reward).sum(axis=1).mean())
    return LoggedRounds(got, logging[context, action]), policy, context, action, reward, truth


def test_the_truth_is_within_the_intervals():
    inside = {"ips": 0, "snips": 0, "dr": 0}
    for seed in range(40):
        rounds, policy, context, action, reward, truth = simulate(1500, seed)
        model = reward * 0.8 + 0.05  # a model that is wrong
        found = estimate_policy(
            rounds,
            policy[context, action],
            expected_of_chosen=model[context, action],
            expected_of_policy=(policy * model).sum(axis=1)[context],
            resamples=200,
        )
        assert found.dr is not None
        for name, interval in (("ips", found.ips), ("snips", found.snips), ("dr", found.dr)):
            inside[name] += interval.low <= truth <= interval.high
    assert min(inside.values()) >= 34, inside


def test_a_good_model_makes_the_interval_narrow():
    rounds, policy, context, action, reward, truth = simulate(3000, 1)
    found = estimate_policy(
        rounds,
        policy[context, action],
        expected_of_chosen=reward[context, action],
        expected_of_policy=(policy * reward).sum(axis=1)[context],
    )
    assert found.dr is not None
    assert found.dr.high - found.dr.low < found.ips.high - found.ips.low
    assert abs(found.dr.mean - truth) < 0.03


def test_by_hand():
    rounds = LoggedRounds(np.array([1.0, 0.0, 1.0]), np.array([0.5, 0.25, 0.2]))
    found = estimate_policy(
        rounds,
        np.array([0.25, 0.5, 0.1]),
        expected_of_chosen=np.array([0.5, 0.5, 0.5]),
        expected_of_policy=np.array([0.4, 0.4, 0.4]),
    )
    assert found.ips.mean == pytest.approx((0.5 + 0 + 0.5) / 3)
    assert found.snips.mean == pytest.approx((0.5 + 0.5) / (0.5 + 2 + 0.5))
    assert found.dr is not None
    assert found.dr.mean == pytest.approx(0.4 + (0.5 * 0.5 - 2 * 0.5 + 0.5 * 0.5) / 3)
    assert found.effective_rounds == pytest.approx(9 / 4.5)
    assert found.largest_weight == 2
    cut = estimate_policy(rounds, np.array([0.25, 0.5, 0.1]), maximum_weight=0.5)
    assert cut.snips.mean == pytest.approx(2 / 3)
    assert cut.dr is None


def test_the_logging_policy_earned_what_it_earned():
    rounds, *_ = simulate(500, 3)
    found = estimate_policy(rounds, rounds.propensity)
    assert found.ips.mean == found.snips.mean == pytest.approx(rounds.reward.mean())
    assert found.effective_rounds == pytest.approx(500)


@pytest.mark.parametrize(
    ("reward", "propensity", "target", "message"),
    [
        ([1.0], [0.0], [0.5], "above 0"),
        ([1.0, 0.0], [0.5], [0.5], "propensities"),
        ([1.0], [0.5], [0.5, 0.5], "probabilities"),
        ([1.0], [0.5], [0.0], "never chooses"),
        ([], [], [], "above 0"),
    ],
)
def test_what_cannot_be_estimated(reward, propensity, target, message):
    with pytest.raises(DataError, match=message):
        estimate_policy(LoggedRounds(np.array(reward), np.array(propensity)), np.array(target))
