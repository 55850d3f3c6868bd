from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savor.online.experiments.exploration import explore
from savor.online.experiments.options import ExplorationOptions
from savor.online.experiments.plackett_luce import draw_order, place_probabilities

SCORES = np.array([5, 4, 3.5, 3, 1, 0.5, 0, -2], np.float32)


def by_enumeration(logits, places):
    rates = np.exp(logits)
    probabilities = np.zeros((len(rates), places))
    for order in permutations(range(len(rates))):
        chance, left = 1.0, rates.sum()
        for item in order:
            chance *= rates[item] / left
            left -= rates[item]
        for place in range(places):
            probabilities[order[place], place] += chance
    return probabilities


@settings(deadline=None, max_examples=15)
@given(st.lists(st.floats(-8, 3), min_size=1, max_size=6))
def test_place_probabilities_are_those_of_the_definition(values):
    logits = np.array(values)
    found = place_probabilities(logits, np.arange(len(logits)), len(logits))
    np.testing.assert_allclose(found, by_enumeration(logits, len(logits)), atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 40), st.floats(0, 30))
def test_place_probabilities_sum_to_one(seed, size, span):
    logits = np.random.default_rng(seed).random(size) * span
    found = place_probabilities(logits, np.arange(size), size)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_draws_follow_the_place_probabilities():
    logits = np.array([1.0, 0.5, 0.0, -1.0, -3.0])
    generator = np.random.default_rng(0)
    counts = np.zeros((5, 3))
    for _ in range(20_000):
        counts[draw_order(logits, 3, generator), np.arange(3)] += 1
    np.testing.assert_allclose(counts / 20_000, place_probabilities(logits, np.arange(5), 3), atol=0.012)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["swap", "plackett_luce"]),
    st.floats(0, 1),
    st.integers(2, 12),
    st.integers(0, 6),
    st.integers(0, 8),
    st.text(max_size=8),
)
def test_lists_are_whole_and_propensities_are_probabilities(method, share, pool, keep, n, name):
    options = ExplorationOptions(share=share, method=method, pool=pool, keep=keep)
    shown = explore(options, SCORES, n, name)
    assert len(set(shown.positions.tolist())) == len(shown.positions) == n
    assert shown.positions.max(initial=0) < len(SCORES)
    assert shown.positions[: min(keep, n)].tolist() == list(range(min(keep, n)))
    chances = shown.propensities()
    assert chances.shape == (n,)
    assert (chances > 0).all()
    assert (chances <= 1 + 1e-6).all()
    again = explore(options, SCORES, n, name)
    assert again.positions.tolist() == shown.positions.tolist()
    if not shown.drawn:
        assert shown.positions.tolist() == list(range(n))


@pytest.mark.parametrize("method", ["swap", "plackett_luce"])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_propensities_are_how_often_items_really_stand_there(method, share):
    options = ExplorationOptions(share=share, method=method, pool=6, keep=1, temperature=0.5)
    number = 12_000
    shown = np.zeros((len(SCORES), 3))
    weighted = np.zeros((len(SCORES), 3))
    drawn = 0
    chances: dict[tuple[int, ...], np.ndarray] = {}
    for request in range(number):
        one = explore(options, SCORES, 3, f"request {request}")
        drawn += one.drawn
        key = (*one.positions.tolist(), one.drawn)
        if key not in chances:
            chances[key] = one.propensities()
        shown[one.positions, np.arange(3)] += 1
        weighted[one.positions, np.arange(3)] += 1 / chances[key]
    assert drawn / number == pytest.approx(share, abs=0.015)
    reachable = shown > 100
    assert reachable[:, 1].sum() >= 4
    np.testing.assert_allclose(weighted[reachable] / number, 1, atol=0.25)
    for key, chance in chances.items():
        for place, item in enumerate(key[:3]):
            assert shown[item, place] / number == pytest.approx(chance[place], abs=0.016)


@pytest.mark.parametrize("method", ["swap", "plackett_luce"])
def test_the_value_of_another_order_is_estimated_without_bias(method):
    """Inverse propensities give the clicks that every item would get at every place."""
    options = ExplorationOptions(share=0.5, method=method, pool=6, temperature=0.5)
    truth = np.outer(np.linspace(0.1, 0.6, 8), [1.0, 0.5, 0.25])
    generator = np.random.default_rng(1)
    number, found = 5_000, np.zeros((8, 3))
    for request in range(number):
        one = explore(options, SCORES, 3, f"r{request}")
        clicks = generator.random(3) < truth[one.positions, np.arange(3)]
        found[one.positions, np.arange(3)] += clicks / one.propensities()
    np.testing.assert_allclose((found / number)[[0, 3], 0], truth[[0, 3], 0], atol=0.15)


def test_nothing_to_explore():
    for options in (
        None,
        ExplorationOptions(),
        ExplorationOptions(share=1, pool=3),
        ExplorationOptions(share=1, keep=3),
    ):
        shown = explore(options, SCORES, 3, "x")
        assert not shown.drawn
        assert shown.positions.tolist() == [0, 1, 2]
        assert shown.propensities().tolist() == [1, 1, 1]
    assert explore(ExplorationOptions(share=1), np.empty(0, np.float32), 0, "x").positions.tolist() == []


def test_equal_scores():
    shown = explore(ExplorationOptions(share=1, method="plackett_luce"), np.zeros(6, np.float32), 2, "x")
    np.testing.assert_allclose(shown.propensities(), 1 / 6, atol=1e-6)
