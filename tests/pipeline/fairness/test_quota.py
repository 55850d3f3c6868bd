from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from savor.pipeline.fairness.deadline import by_deadline
from savor.pipeline.fairness.exposure import exposure_shares, place_weights
from savor.pipeline.fairness.quota import falling, least_boost, quota_order
from savor.pipeline.fairness.scores import boosted

SCORES = st.floats(-2, 2, width=16)


@st.composite
def questions(draw, most=30):
    size = draw(st.integers(1, most))
    scores = draw(arrays(np.float64, size, elements=SCORES))
    member = draw(arrays(np.bool_, size))
    return scores, member, draw(st.integers(1, 12)), draw(st.floats(0, 1))


def test_place_weights_by_hand():
    np.testing.assert_allclose(place_weights(3) * (1 + 1 / np.log2(3) + 0.5), [1, 1 / np.log2(3), 0.5])
    assert len(place_weights(0)) == 0


def test_exposure_by_hand():
    members = np.array([[True, False, False, True], [False, True, False, True]])
    weights = place_weights(2)
    np.testing.assert_allclose(exposure_shares(members, np.array([1, 0, 3, 2]), 2), [weights[1], weights[0]])
    np.testing.assert_allclose(exposure_shares(members, np.array([3, 2, 0, 1]), 2), [weights[0], weights[0]])


def test_by_hand():
    scores = np.array([9.0, 8.0, 7.0, 5.0, 4.0])
    member = np.array([False, False, False, True, True])
    weights = place_weights(3)
    assert least_boost(scores, member, 3, 0.0) == 0
    assert least_boost(scores, member, 3, weights[2]) == 2
    assert least_boost(scores, member, 3, weights[1]) == 3
    assert least_boost(scores, member, 3, weights[1] + weights[2]) == 4
    assert least_boost(scores, member, 3, weights[0] + weights[1]) == 5
    assert least_boost(scores, member, 3, 1.0) is None
    assert quota_order(scores, member[None], np.array([weights[2]]), 3).tolist() == [0, 1, 3, 2, 4]


@settings(deadline=None, max_examples=100)
@given(questions())
def test_one_quota_is_met_whenever_it_can_be(question):
    scores, member, n, share = question
    order = quota_order(scores, member[None], np.array([share]), n)
    assert sorted(order.tolist()) == list(range(len(scores)))
    shown = min(n, len(scores))
    possible = place_weights(shown)[: min(shown, member.sum())].sum()
    (reached,) = exposure_shares(member[None], order, n)
    assert reached >= min(share, possible) - 1e-9


@settings(deadline=None, max_examples=100)
@given(questions())
def test_the_order_within_and_outside_the_group_stays(question):
    scores, member, n, share = question
    order = quota_order(scores, member[None], np.array([share]), n)
    for inside in (True, False):
        assert [row for row in order if member[row] == inside] == [
            row for row in falling(scores) if member[row] == inside
        ]


@settings(deadline=None, max_examples=100)
@given(questions(most=6), st.integers(1, 4))
def test_nothing_reached_is_lost_for_nothing(question, n):
    """No order with as much exposure for the group as this one has more score."""
    scores, member, _, share = question
    n = min(n, len(scores))
    weights = place_weights(n)
    order = quota_order(scores, member[None], np.array([share]), n)
    (reached,) = exposure_shares(member[None], order, n)
    value = weights @ scores[order[:n]]
    for other in permutations(range(len(scores)), n):
        if weights @ member[list(other)] >= reached - 1e-12:
            assert weights @ scores[list(other)] <= value + 1e-6


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10_000), st.integers(8, 12), st.floats(0, 0.4), st.floats(0, 0.4))
def test_two_quotas_with_room_are_met(seed, n, first, second):
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=60)
    kind = generator.permutation(np.repeat([0, 1, 2], 20))
    members = np.stack([kind == 1, kind == 2])
    shares = np.array([first, second])
    order = quota_order(scores, members, shares, n)
    assert sorted(order.tolist()) == list(range(60))
    assert (exposure_shares(members, order, n) >= shares - 1e-9).all()


def test_groups_may_overlap_and_be_empty():
    scores = np.array([5.0, 4.0, 3.0, 2.0])
    members = np.array([[False, False, True, True], [False, False, False, True], [False] * 4])
    order = quota_order(scores, members, np.array([0.5, 0.5, 0.5]), 3)
    assert order[0] == 3
    assert sorted(order.tolist()) == [0, 1, 2, 3]
    assert quota_order(np.empty(0), np.empty((1, 0), np.bool_), np.array([0.5]), 3).tolist() == []


def test_ties_keep_the_order_they_came_in():
    scores = np.zeros(6)
    assert quota_order(scores, np.zeros((1, 6), np.bool_), np.array([0.5]), 3).tolist() == list(range(6))


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10_000), st.floats(0, 2), st.floats(0, 2))
def test_boosts_are_the_best_bargain(seed, first, second):
    """Sorting by boosted scores maximises score plus boost times exposure over all lists."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=5)
    members = generator.random((2, 5)) < 0.5
    boosts = np.array([first, second])
    weights = place_weights(3)

    def worth(order):
        rows = list(order)
        return weights @ scores[rows] + boosts @ (members[:, rows] @ weights)

    best = falling(boosted(scores, members, boosts))[:3]
    assert worth(best) >= max(worth(order) for order in permutations(range(5), 3)) - 1e-9


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 10))
def test_shares_that_largest_need_first_can_meet_are_met(seed, groups, n):
    generator = np.random.default_rng(seed)
    kind = generator.integers(0, groups + 1, 40)
    members = np.stack([kind == group + 1 for group in range(groups)])
    shares = generator.dirichlet(np.ones(groups + 1))[:groups] * 0.8
    weights, needs = place_weights(n), shares.copy()
    for weight in weights:
        needs[np.argmax(needs)] -= weight
    order = by_deadline(members, shares, n)
    assert sorted(order.tolist()) == list(range(40))
    enough = members.sum(axis=1) >= n
    if (needs <= 1e-12).all() and enough.all():
        assert (exposure_shares(members, order, n) >= shares - 1e-9).all()
    for group in range(groups + 1):
        rows = [row for row in order if kind[row] == group]
        assert rows == sorted(rows)
